import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ours } from "../lab/program.js";

const PROGRAM = fileURLToPath(
  new URL("../../bin/ipvsadm.cjs", import.meta.url),
);

/** Explains the next step to the reader. */
export function say(text: string): void {
  console.log(`\n${text}`);
}

/** Runs our program. @returns its output @throws if it fails */
export async function run(command: string): Promise<string> {
  const { stdout, stderr, status } = await ours(command.split(" "));
  if (status !== 0)
    throw new Error(`ipvsadm ${command}: ${stderr.trim()} (status ${status})`);
  return Buffer.from(stdout, "latin1").toString(); // subcommands print UTF-8
}

/** Runs our program and shows command and output; of a long listing, the first lines. */
export async function ipvsadm(
  command: string,
  linesShown = Infinity,
): Promise<string> {
  const output = await run(command);
  show(`ipvsadm ${command}`, output, linesShown);
  return output;
}

/** Runs the installed program in a process of its own, and shows command and output. */
export async function installedIpvsadm(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)(PROGRAM, command.split(" "));
  show(`dist/bin/ipvsadm.cjs ${command}`, stdout);
  return stdout;
}

/** Shows a command and its output like a terminal. */
export function show(
  command: string,
  output: string,
  linesShown = Infinity,
): void {
  console.log(`$ ${command}`);
  const lines = output.split("\n").slice(0, -1);
  for (const line of lines.slice(0, linesShown)) console.log(line);
  const rest = lines.length - linesShown;
  if (rest > 0) console.log(`… and ${rest} more lines`);
}
