import type { ClassicIo } from "../runtime/io.js";
import { counted, type Progress } from "../runtime/progress.js";

/**
 * Shows the progress while the lines of standard input are read or carried out.
 *
 * @param what the work, such as `restoring`
 * @returns a function to call with each chunk of lines. It reads the clock once per call, because
 *   that takes as long as a rule
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
    if ((typed ??= io.terminal.isTerminal("stdin"))) return undefined; // someone is typing
    size ??= io.stdinBytes() ?? 0;
    // The count can exceed the size: lines may have been read before, or appended meanwhile.
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
