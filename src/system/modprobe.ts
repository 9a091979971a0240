/** Asks for the module ip_vs, as the kernel itself would. */
export const MODPROBE = ["/sbin/modprobe", "--", "ip_vs"] as const;

/** Has the module ip_vs loaded, if that is possible. What modprobe has to say goes to stderr. */
export function loadIpvsModule(): void {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const [program, ...words] = MODPROBE;
  spawnSync(program, words, { stdio: ["ignore", "inherit", "inherit"] });
}
