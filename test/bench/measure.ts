import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import type { FloorReport } from "./floor.js";
import { quote } from "../compat/original.js";
import type { Program } from "./programs.js";
import type { Sample } from "./results.js";

/** What a program is to do. */
export interface Work {
  readonly words: readonly string[];
  /** Instead of these words: the command lines of a script, by a shell */
  readonly script?: readonly (readonly string[])[];
  /** The file on standard input; nothing without it */
  readonly stdin?: string;
  /** For a floor: the file with what to say */
  readonly recording?: string;
  /** What is done is to fail, at once: where there is no ip_vs. Otherwise status 0 shows that it was done. */
  readonly mayFail?: boolean;
}

export interface Run extends Omit<Sample, "program" | "round"> {
  readonly outputBytes: number;
  readonly outputLines: number;
  /** Of all output */
  readonly digest: string;
}

/** A run that did not do what it was for. Its time means nothing. */
export class RunFailed extends Error {
  override readonly name = "RunFailed";
}

/** Where GNU time is, which tells the peak of memory that the kernel has counted. */
const TIME = "/usr/bin/time";
/** sysconf(_SC_CLK_TCK), which Linux has at 100 for all that programs see. */
const MS_PER_TICK = 10;

/** Starts programs, one after the other, all in the same way. */
export class Stopwatch {
  readonly #folder = mkdtempSync("/dev/shm/bench.");

  /** A file for what a run needs. */
  file(name: string): string {
    return join(this.#folder, name);
  }

  close(): void {
    rmSync(this.#folder, { recursive: true });
  }

  /** Runs a program once and takes its time. @throws {RunFailed} */
  run(program: Program, work: Work): Run {
    const [file = "", ...words] = commandLine(program, work);
    const [wallMs, cpuMs] = this.#start(program, file, words, work);
    const output = readFileSync(this.file("out"));
    const run = {
      wallMs,
      cpuMs,
      outputBytes: output.length,
      outputLines: output.reduce((n, byte) => (byte === 10 ? n + 1 : n), 0),
      digest: createHash("sha256").update(output).digest("hex"),
    };
    if (program.takes !== "floor") return run;
    const { innerMs } = JSON.parse(output.toString()) as FloorReport;
    return { ...run, innerMs };
  }

  /** The first line of what a program prints. @throws {RunFailed} */
  firstLine(program: Program, words: readonly string[]): string {
    this.run(program, { words });
    return readFileSync(this.file("out"), "latin1").split("\n")[0] ?? "";
  }

  /** Runs a program once more for its peak of memory (ru_maxrss), and its page faults (ru_minflt). @throws {RunFailed} */
  peak(program: Program, work: Work): { bytes: number; faults: number } {
    const report = this.file("time");
    const line = commandLine(program, work);
    const options = ["-q", "-f", "%M %R", "-o", report];
    this.#start(program, TIME, [...options, ...line], work);
    const [kilobytes, faults] = readFileSync(report, "latin1").split(" ");
    return { bytes: Number(kilobytes) * 1024, faults: Number(faults) };
  }

  #start(
    program: Program,
    file: string,
    words: readonly string[],
    { stdin = "/dev/null", mayFail = false }: Work,
  ): [wallMs: number, cpuMs: number] {
    const stdio = [
      openSync(stdin, "r"),
      openSync(this.file("out"), "w"),
      openSync(this.file("err"), "w"),
    ];
    const cpuBefore = childrenTicks();
    const before = process.hrtime.bigint();
    const { status, signal, error } = spawnSync(file, words, {
      stdio,
      ...(program.env && { env: program.env }),
    });
    const wallMs = Number(process.hrtime.bigint() - before) / 1e6;
    const cpuMs = (childrenTicks() - cpuBefore) * MS_PER_TICK;
    for (const descriptor of stdio) closeSync(descriptor);
    const complaint = readFileSync(this.file("err"), "latin1").trim();
    const done = status === 0 && complaint === "";
    if (error ?? signal ?? !(done || mayFail))
      throw new RunFailed(
        `${file} ${words.join(" ")}: ${String(error ?? signal ?? status)}; ${complaint.slice(0, 500)}`,
      );
    return [wallMs, cpuMs];
  }
}

export function canTellPeaks(): boolean {
  return statSync(TIME, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The program that is started, and its words. */
function commandLine(program: Program, work: Work): readonly string[] {
  const start = [program.file, ...program.words];
  if (!work.script || program.takes !== "command")
    return [...start, ...ownWords(program, work)];
  const lines = work.script.map((words) =>
    [...start, ...words].map(quote).join(" "),
  );
  return ["sh", "-e", "-c", lines.join("\n")];
}

function ownWords(program: Program, work: Work): readonly string[] {
  switch (program.takes) {
    case "command":
      return work.words;
    case "floor":
      return [work.recording ?? ""];
    case "bare":
      return [];
  }
}

/** The time that ended children of this process have used. @see cutime and cstime in proc(5) */
function childrenTicks(): number {
  const stat = readFileSync("/proc/self/stat", "latin1");
  // The second field, the name, may have blanks in it; the first after its parenthesis is the third.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[16 - 3]) + Number(fields[17 - 3]);
}
