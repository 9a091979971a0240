/**
 * Lets code run in a working directory that was deleted. There process.cwd() throws, which packages call while they are
 * loaded. Relative paths still fail with ENOENT, because the kernel resolves them.
 */
export function tolerateDeletedDirectory(): void {
  try {
    process.cwd();
  } catch {
    process.cwd = () => "/";
  }
}
