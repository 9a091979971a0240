import assert from "node:assert/strict";
import { kernelWith } from "../../fixtures/table-kernel.js";
import { subcommand, terminal } from "../run-subcommand.js";
import { SAMPLE } from "./sample.js";

/** Runs a command line with a kernel table, in a terminal without colors. @param width undefined: no terminal */
export function listed(line: string, table = SAMPLE, width?: number) {
  const io = terminal(width, { NO_COLOR: "1" });
  return subcommand(line, { link: kernelWith(table), io });
}

/** Runs a command line that must succeed. @returns what it prints */
export async function printed(line: string, table = SAMPLE, width?: number) {
  const { stdout, stderr, status } = await listed(line, table, width);
  assert.deepEqual([stderr, status], ["", 0], line);
  return stdout;
}
