import type { ModelKernel } from "../plan/model-kernel.js";
import { rowsOf } from "./netlink-kernel.js";
import type { CommandLine, Result } from "./world.js";

/** A run broke the rule: the right result, or a clear error and nothing lost. */
export class Broken extends Error {
  override readonly name = "Broken";
}

/** @throws {Broken} */
export function broken(what: string): never {
  throw new Broken(what);
}

const STATUSES = new Set([0, 1, 2, 3, 4, 5, 124, 129, 130, 131, 141, 143, 255]);
/** Of a stack trace, a bare error, or a value that was put into a sentence by mistake */
const NOT_WORDS =
  /\n\s+at |\b(?:TypeError|RangeError|ReferenceError|SyntaxError|AggregateError|(?<!\[)undefined(?!-)|NaN)\b|\[object |node:internal|file:\/\//;
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f]/;

/** The exit status of a campaign, after its counts were printed. A campaign without any case is a mistake. */
export function campaignStatus(passed: number, failed: number): 0 | 1 {
  console.log(`\n${passed} passed, ${failed} failed`);
  if (passed + failed === 0) console.error("faults: no case ran");
  return passed > 0 && failed === 0 ? 0 : 1;
}

/** An error with its stack trace. */
export function errorText(error: unknown): string {
  return error instanceof Error
    ? (error.stack ?? error.message)
    : JSON.stringify(error);
}

/** Checks what a run printed, and how it ended. @throws {Broken} */
export function checkWords(line: CommandLine, result: Result): void {
  const { status, stdout, stderr, thrown } = result;
  if (thrown !== undefined) broken(`it threw ${errorText(thrown)}`);
  if (status === undefined || !STATUSES.has(status))
    broken(`exit status ${status}`);
  const wrong = NOT_WORDS.exec(stderr);
  if (wrong) broken(`stderr has ${JSON.stringify(wrong[0])}`);
  if (status !== 0 && status !== 141 && stderr === "" && stdout === "")
    broken(`exit status ${status} without a word`);
  if (isClassic(line)) return;
  const control = CONTROLS.exec(stderr) ?? CONTROLS.exec(stdout);
  if (control)
    broken(`the output has the character ${JSON.stringify(control[0])}`);
  if (stdout.startsWith("{") && status === 0) checkJson(stdout);
}

/** A document, or one per line. */
function checkJson(stdout: string): void {
  try {
    JSON.parse(stdout);
  } catch {
    for (const line of stdout.trimEnd().split("\n"))
      try {
        JSON.parse(line);
      } catch {
        broken(`no JSON: ${line.slice(0, 200)}`);
      }
  }
}

export function isClassic({ words, program }: CommandLine): boolean {
  const [first = "-"] = words;
  return program !== undefined || first.startsWith("-");
}

/** The rows of a table, and the same as a text. */
export interface TableState {
  readonly rows: ReadonlyMap<string, string>;
  readonly text: string;
}

export function stateOf(kernel: ModelKernel): TableState {
  return { rows: rowsOf(kernel), text: kernel.state };
}

/**
 * Whether each row of a table is as before or as after, and rows that both have are there.
 *
 * @param but what may be otherwise. `may lack rows`: the command clears the table first. `may be drained`: it gives
 *   servers the weight 0 before it removes them
 */
export function isBetween(
  now: TableState,
  before: TableState,
  after: TableState,
  but?: "may lack rows" | "may be drained",
): boolean {
  for (const [name, settings] of now.rows) {
    const old = before.rows.get(name);
    const drained =
      but === "may be drained" && !after.rows.has(name)
        ? old?.replace(/"weight":[0-9]+/, '"weight":0')
        : undefined;
    if (![old, after.rows.get(name), drained].includes(settings)) return false;
  }
  if (but === "may lack rows") return true;
  for (const name of before.rows.keys())
    if (after.rows.has(name) && !now.rows.has(name)) return false;
  return true;
}

/** What a message says about the table. */
const SAYS_UNCHANGED =
  /nothing was changed|the table is as before|all weights are as before/;
const SAYS_UNSURE =
  /rollback is incomplete|may or may not|does not match|not rolled back|answer was lost|cannot read the table|remains/;

/**
 * Checks the table after a subcommand that makes all its changes or none.
 *
 * @throws {Broken}
 */
export function checkTable(
  { status, stderr }: Result,
  now: TableState,
  before: TableState,
  after: TableState,
): void {
  if (status === 0) {
    if (now.text !== after.text)
      broken(
        `exit status 0, but the table is\n${now.text}\nnot\n${after.text}`,
      );
    return;
  }
  if (now.text === before.text) return;
  if (SAYS_UNCHANGED.test(stderr) && !SAYS_UNSURE.test(stderr))
    broken(
      `it says "${stderr}", but the table is\n${now.text}\nnot\n${before.text}`,
    );
  if (now.text === after.text) return;
  // 'apply --drain' gives servers the weight 0 before it removes them, and says if that was not undone.
  const but = SAYS_UNSURE.test(stderr) ? "may be drained" : undefined;
  if (!isBetween(now, before, after, but))
    broken(`the table has rows of its own:\n${now.text}`);
  if (!SAYS_UNSURE.test(stderr))
    broken(`half of the changes, and only these words: ${stderr}`);
}
