/** The name of this machine, without its domain. */
export function hostName(): string {
  const name = process.getBuiltinModule("node:os").hostname();
  return name.split(".")[0] ?? name;
}
