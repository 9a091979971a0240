import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const FOLDER = "test/commands/golden";

/**
 * Compares an output with a recorded file, `test/commands/golden/NAME`.
 *
 * To record all files again, and to review them with `git diff`:
 *   UPDATE_GOLDEN=1 node --test 'dist/test/commands/**\/*.test.js'   (without the backslash)
 */
export function golden(name: string, text: string): void {
  const file = join(FOLDER, name);
  if (process.env["UPDATE_GOLDEN"]) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, "utf8"), `differs from ${file}`);
}

/** The widths of terminals for recorded outputs. Undefined: no terminal */
export const WIDTHS: readonly (number | undefined)[] = [60, 80, 120, undefined];

/** `list-80.txt`, `list-none.txt` */
export function goldenName(name: string, width: number | undefined): string {
  return `${name}-${width ?? "none"}.txt`;
}
