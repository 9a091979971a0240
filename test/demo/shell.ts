import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ours } from "../lab/program.js";

const PROGRAM = fileURLToPath(
  new URL("../../bin/ipvsadm.cjs", import.meta.url),
);

/** Tells the reader what comes next. */
export function say(text: string): void {
  console.log(`\n${text}`);
}

/** Gives our program a command. @returns what it printed @throws if it did not succeed */
export async function run(command: string): Promise<string> {
  const { stdout, stderr, status } = await ours(command.split(" "));
  if (status !== 0)
    throw new Error(`ipvsadm ${command}: ${stderr.trim()} (status ${status})`);
  return stdout;
}

/** Gives our program a command and shows both, of a long listing the first lines. */
export async function ipvsadm(
  command: string,
  linesShown = Infinity,
): Promise<string> {
  const output = await run(command);
  show(`ipvsadm ${command}`, output, linesShown);
  return output;
}

/** The same by the program as it is installed, in a process of its own. */
export async function installedIpvsadm(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)(PROGRAM, command.split(" "));
  show(`dist/bin/ipvsadm.cjs ${command}`, stdout);
  return stdout;
}

/** Shows a command and its output as a terminal does. */
export function show(
  command: string,
  output: string,
  linesShown = Infinity,
): void {
  console.log(`$ ${command}`);
  const lines = output.split("\n").slice(0, -1);
  for (const line of lines.slice(0, linesShown)) console.log(line);
  const rest = lines.length - linesShown;
  if (rest > 0) console.log(`… and ${rest} lines more`);
}
