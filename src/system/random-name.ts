/**
 * A random part of a file name, of eight characters.
 *
 * It is not secret, so create the file with O_EXCL.
 */
export function randomName(): string {
  return Math.random().toString(36).slice(2, 10).padEnd(8, "0");
}

/** A random text that is different each time, on all machines. */
export function randomId(): string {
  return process.getBuiltinModule("node:crypto").randomUUID();
}
