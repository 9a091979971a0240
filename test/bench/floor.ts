import { readFileSync, writeSync } from "node:fs";
import type { Link } from "../../src/netlink/link.js";
import { unpackSteps } from "./recording.js";
import { replay } from "./replay.js";

/** The output of a floor, as JSON. */
export interface FloorReport {
  /** The number of messages received */
  readonly messages: number;
  /** From opening the first socket to the last reply */
  readonly innerMs: number;
}

/**
 * The least time that a program can take: sends the same encoded requests through the same
 * transport, and only counts the replies.
 *
 * @param file a recording of `record.ts`
 */
export async function runFloor(file: string, open: () => Link): Promise<void> {
  const steps = unpackSteps(readFileSync(file));
  const before = process.hrtime.bigint();
  const messages = await replay(steps, open);
  const innerMs = Number(process.hrtime.bigint() - before) / 1e6;
  const report: FloorReport = { messages, innerMs };
  writeSync(1, `${JSON.stringify(report)}\n`);
  process.exit(0);
}
