import { ours } from "../lab/program.js";

/** Runs our program. @returns its output @throws if it fails */
export async function ipvsadm(command: string): Promise<string> {
  const { stdout, stderr, status } = await ours(command.split(" "));
  if (status !== 0 || stderr !== "")
    throw new Error(`ipvsadm ${command}: ${stderr.trim()} (status ${status})`);
  return stdout;
}

/** Replaces the table by these rules, one per line, in the format of `ipvsadm-save`. */
export async function balance(rules: string): Promise<void> {
  await ipvsadm("-C");
  for (const rule of rules.trim().split("\n")) await ipvsadm(rule.trim());
}
