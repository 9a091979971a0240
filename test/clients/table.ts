import assert from "node:assert/strict";
import { eventually } from "../lab/eventually.js";
import { ours } from "../lab/program.js";

/** Timeout. A guest is slow, and a client may call the program dozens of times. */
export const PATIENCE_SECONDS = 300;

/** The kernel's table, as rules. */
export async function rules(): Promise<string> {
  const { stdout } = await ours(["-Sn"]);
  return stdout;
}

/** Restores rules into the table. */
export async function addRules(text: string): Promise<void> {
  const { stderr } = await ours(["-R"], text);
  assert.equal(stderr, "");
}

/** Waits until the table is as expected. */
export async function becomes(wanted: string): Promise<void> {
  const table = await eventually(
    rules,
    (text) => text === wanted,
    PATIENCE_SECONDS,
  );
  assert.equal(table, wanted);
}
