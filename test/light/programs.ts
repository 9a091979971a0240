import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import type { Outcome } from "../lab/program.js";

/** The light program, and the same with its system calls checked by AddressSanitizer and UBSan. */
export const LIGHT = resolve("dist/light/ipvsadm");
export const SANITIZED = resolve("dist/light/ipvsadm-sanitized");

/** Runs a command to its end. Text is one character a byte. */
export function run(
  [program = "", ...words]: readonly string[],
  options: {
    readonly cwd?: string;
    readonly stdin?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly argv0?: string;
    readonly uid?: number;
  } = {},
): Outcome {
  const { stdin = "", env, ...others } = options;
  const { stdout, stderr, status } = spawnSync(program, words, {
    ...others,
    input: Buffer.from(stdin, "latin1"),
    encoding: "latin1",
    timeout: 120_000,
    env: { ...process.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  });
  return { stdout, stderr, status: status ?? -1 };
}

/** Runs a line of bash, in which `$0` is a program. */
export function bash(line: string, program: string): Outcome {
  return run(["bash", "-c", line, program]);
}
