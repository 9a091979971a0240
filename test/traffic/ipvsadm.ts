import { ours } from "../lab/program.js";

/** Gives our program a command. @returns what it printed @throws if it did not succeed */
export async function ipvsadm(command: string): Promise<string> {
  const { stdout, stderr, status } = await ours(command.split(" "));
  if (status !== 0 || stderr !== "")
    throw new Error(`ipvsadm ${command}: ${stderr.trim()} (status ${status})`);
  return stdout;
}

/** Replaces the table by these rules, one a line as `ipvsadm-save` writes them. */
export async function balance(rules: string): Promise<void> {
  await ipvsadm("-C");
  for (const rule of rules.trim().split("\n")) await ipvsadm(rule.trim());
}
