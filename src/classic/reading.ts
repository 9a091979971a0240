import type { Io } from "../io.js";
import { counted, RULES_A_STEP, type Progress } from "../progress.js";

/**
 * Shows how far the lines of standard input have been carried out, or read.
 *
 * @param what is done to them: `restoring`
 * @returns to be called with each line
 */
export function countLines(
  what: string,
  progress: Progress,
  io: Io,
): (line: string) => void {
  let lines = 0;
  let bytes = 0;
  let size: number | undefined;
  let typed: boolean | undefined;
  progress.begin((seconds) => {
    if ((typed ??= io.terminal.isTerminal("stdin"))) return undefined; // somebody is at the keyboard
    size ??= io.stdinBytes() ?? 0;
    // What was read before we came, or has been added since, can make it more than all.
    const share = Math.min(100, Math.floor((bytes / size) * 100));
    const part = size > 0 ? `, ${share}%` : "";
    return `${what}: ${counted(lines, "lines", seconds)}${part}`;
  });
  return (line) => {
    lines++;
    bytes += line.length + 1;
    if (lines % RULES_A_STEP === 0) progress.step();
  };
}
