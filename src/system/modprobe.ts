/** The command that loads the module ip_vs, with the path that the kernel itself uses. */
export const MODPROBE = ["/sbin/modprobe", "--", "ip_vs"] as const;

/**
 * Loads the module ip_vs if needed. modprobe's messages go to stderr; its failure is not an error
 * here.
 */
export function loadIpvsModule(): void {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const [program, ...words] = MODPROBE;
  spawnSync(program, words, { stdio: ["ignore", "inherit", "inherit"] });
}
