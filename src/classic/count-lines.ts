import type { ClassicIo } from "../runtime/io.js";
import { counted, type Progress } from "../runtime/progress.js";

/**
 * Shows how far the lines of standard input have been carried out, or read.
 *
 * @param what is done to them: `restoring`
 * @returns to be called with the lines, as many as came together: the clock is asked once for them, for it
 *   takes as long as a rule does
 */
export function countLines(
  what: string,
  progress: Progress,
  io: ClassicIo,
): (lines: readonly string[]) => void {
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
  return (more) => {
    lines += more.length;
    for (const line of more) bytes += line.length + 1;
    progress.step();
  };
}
