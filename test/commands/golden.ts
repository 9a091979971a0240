import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FOLDER = "test/commands/golden";

/**
 * Holds an output against the file that it was recorded in, `test/commands/golden/NAME`.
 *
 * To record anew, and then look at what `git diff` shows:
 *   UPDATE_GOLDEN=1 node --test 'dist/test/commands/**\/*.test.js'   (without the backslash)
 */
export function golden(name: string, text: string): void {
  const file = join(FOLDER, name);
  if (process.env["UPDATE_GOLDEN"]) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, "utf8"), `not as in ${file}`);
}

/** The widths at which outputs are held against files: of terminals, and none. */
export const WIDTHS: readonly (number | undefined)[] = [60, 80, 120, undefined];

/** `list-80.txt`, `list-none.txt` */
export function goldenName(name: string, width: number | undefined): string {
  return `${name}-${width ?? "none"}.txt`;
}
