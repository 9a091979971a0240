import { median, pairedRatio } from "./statistics.js";

/*
 * The results that the bench writes as JSON (dist/bench.json). The report is derived from them.
 * Unless noted otherwise, times are those of whole processes, from before the start until after the
 * end.
 */

/** A program that is timed: one that is compared, or a part of others' time. */
export type ProgramName =
  | "original"
  /** Our program on Node.js */
  | "node"
  /** Our program as an executable */
  | "full"
  /** Our program with the classic options only */
  | "light"
  /** Only sends the program's recorded requests and counts the replies */
  | "floor-node"
  | "floor-full"
  /** The runtime with an empty file */
  | "empty-node"
  | "empty-full"
  /** /bin/true: the cost of starting a process */
  | "nothing";

/** One run of one program. */
export interface Sample {
  readonly program: ProgramName;
  /** The samples of a round were measured one after the other, and are compared with each other. */
  readonly round: number;
  readonly wallMs: number;
  /** User and system time. The kernel counts in ticks of 10 ms. */
  readonly cpuMs: number;
  /**
   * For a floor: from opening the first socket to the last reply, without the start of the process.
   */
  readonly innerMs?: number;
}

/** The memory peak and page faults of a program, from a separate run that is not timed. */
export interface Peak {
  readonly program: ProgramName;
  readonly bytes: number;
  readonly faults?: number;
}

/** The same work by each program. */
export interface CaseResult {
  /** Such as `restore-1000` */
  readonly id: string;
  /** A description of the work */
  readonly title: string;
  /** Services and servers in the table; 0 if there is no table */
  readonly rules: number;
  /**
   * Bytes that the original printed. The others print the same number, except for the connection
   * list
   */
  readonly outputBytes?: number;
  readonly samples: readonly Sample[];
  readonly peaks: readonly Peak[];
}

/** The machine. */
export interface Machine {
  readonly cpu: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  /**
   * Load average of the last minute at the start. Above 0.5 the machine was busy with other work.
   */
  readonly load: number;
  /** `uml` for a User-Mode Linux guest, `host` for the machine's own kernel, with its version */
  readonly lab?: string;
  /** The processor to which a guest was bound, if it was. One processor is faster and less noisy */
  readonly pinnedTo?: number;
}

export interface Results {
  /** The version of this format */
  readonly schema: 1;
  /** Start time in ISO 8601 */
  readonly date: string;
  readonly command: readonly string[];
  readonly machine: Machine;
  /** The versions that the programs print, and the runtime's version */
  readonly versions: Readonly<Record<string, string>>;
  /** Programs that could not be measured, with the reason */
  readonly missing: Readonly<Partial<Record<ProgramName, string>>>;
  readonly seconds: number;
  readonly cases: readonly CaseResult[];
}

export function findCase(results: Results, id: string): CaseResult | undefined {
  return results.cases.find((one) => one.id === id);
}

export function samplesOf(
  result: CaseResult | undefined,
  program: ProgramName,
): Sample[] {
  return result?.samples.filter((one) => one.program === program) ?? [];
}

/** @returns undefined if it was not measured */
export function medianMs(
  result: CaseResult | undefined,
  program: ProgramName,
  of: (sample: Sample) => number | undefined = ({ wallMs }) => wallMs,
): number | undefined {
  const values = samplesOf(result, program).flatMap((one) => of(one) ?? []);
  return values.length === 0 ? undefined : median(values);
}

/** The ratio of two programs' times, round by round. @see pairedRatio */
export function timesAsLong(
  result: CaseResult | undefined,
  program: ProgramName,
  other: ProgramName,
): number | undefined {
  return pairedRatio(wallByRound(result, program), wallByRound(result, other));
}

function wallByRound(
  result: CaseResult | undefined,
  program: ProgramName,
): Map<number, number> {
  return new Map(
    samplesOf(result, program).map(({ round, wallMs }) => [round, wallMs]),
  );
}

/** Ours that have a floor of their own. */
export type Ours = "node" | "full";

/** How many times faster than the original. */
export function speedup(
  results: Results,
  id: string,
  program: Ours | "light",
): number | undefined {
  return timesAsLong(findCase(results, id), "original", program);
}

/** How many times faster than the original, without the start-up time of the runtime. */
export function speedupWithoutStart(
  results: Results,
  id: string,
  program: Ours,
): number | undefined {
  const result = findCase(results, id);
  const original = medianMs(result, "original");
  const time = medianMs(result, program);
  const start = medianMs(findCase(results, "empty"), `empty-${program}`);
  if (original === undefined || time === undefined || start === undefined)
    return undefined;
  // A start-up time above the time of a whole run means that the machine was busy.
  return time > start ? original / (time - start) : undefined;
}

/** The ratio of our time to the floor's. */
export function overFloor(
  results: Results,
  id: string,
  program: Ours,
): number | undefined {
  return timesAsLong(findCase(results, id), program, `floor-${program}`);
}

/** Our own cost: µs per rule above the floor. */
export function ownMicrosecondsPerRule(
  results: Results,
  id: string,
  program: Ours,
): number | undefined {
  const result = findCase(results, id);
  const time = medianMs(result, program);
  const floor = medianMs(result, `floor-${program}`);
  if (!result?.rules || time === undefined || floor === undefined)
    return undefined;
  return ((time - floor) * 1000) / result.rules;
}

export function peakBytes(
  results: Results,
  id: string,
  program: ProgramName,
): number | undefined {
  return findCase(results, id)?.peaks.find((one) => one.program === program)
    ?.bytes;
}

export function pageFaults(
  results: Results,
  id: string,
  program: ProgramName,
): number | undefined {
  return findCase(results, id)?.peaks.find((one) => one.program === program)
    ?.faults;
}

/** User and system time of a run, on average: the ticks of one run are too long for a short one. */
export function meanCpuMs(
  result: CaseResult | undefined,
  program: ProgramName,
): number | undefined {
  const samples = samplesOf(result, program);
  if (samples.length === 0) return undefined;
  return samples.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / samples.length;
}
