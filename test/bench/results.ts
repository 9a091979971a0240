import { median, pairedRatio } from "./statistics.js";

/*
 * What the bench writes as JSON (dist/bench.json). All that is printed is worked out from this; all times
 * are of whole processes, from before the start to after the end, unless it says otherwise.
 */

/** A program that is timed, or that tells what part of a time is. */
export type ProgramName =
  | "original"
  /** Ours, by node */
  | "node"
  /** Ours, as one executable */
  | "full"
  /** Ours, the classic options alone */
  | "light"
  /** The program's own requests once more, already encoded, and its answers only counted */
  | "floor-node"
  | "floor-full"
  /** The runtime on an empty file */
  | "empty-node"
  | "empty-full"
  /** /bin/true: what starting any process costs here */
  | "nothing";

/** One run of one program. */
export interface Sample {
  readonly program: ProgramName;
  /** Samples of a round were taken one after the other, and are compared with each other. */
  readonly round: number;
  readonly wallMs: number;
  /** User and system time; the kernel counts it in ticks of 10 ms. */
  readonly cpuMs: number;
  /** Of a floor: from opening the first socket to the last answer, without the process's start. */
  readonly innerMs?: number;
}

/** What one run kept of memory at most, and its page faults, from a run of its own that is not timed. */
export interface Peak {
  readonly program: ProgramName;
  readonly bytes: number;
  readonly faults?: number;
}

/** The same work by each program. */
export interface CaseResult {
  /** Such as `restore-1000` */
  readonly id: string;
  /** What is done, in words */
  readonly title: string;
  /** Services and servers of the table; 0 where that means nothing */
  readonly rules: number;
  /** How many bytes the original printed; all print as much, but for the list of connections */
  readonly outputBytes?: number;
  readonly samples: readonly Sample[];
  readonly peaks: readonly Peak[];
}

/** Where it was measured. */
export interface Machine {
  readonly cpu: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  /** Load of the last minute when the bench began: above 0.5 the machine was busy with other things. */
  readonly load: number;
  /** `uml` for a guest in User-Mode Linux, `host` for the machine's own kernel; with its version */
  readonly lab?: string;
  /** The processor that a guest was kept on, if it was: taking turns on one is faster, and steadier */
  readonly pinnedTo?: number;
}

export interface Results {
  /** Of this layout */
  readonly schema: 1;
  /** When it began, ISO 8601 */
  readonly date: string;
  readonly command: readonly string[];
  readonly machine: Machine;
  /** What each program calls itself, and the runtime's version */
  readonly versions: Readonly<Record<string, string>>;
  /** Programs that could not be measured, and why */
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

/** @returns undefined when it was not measured */
export function medianMs(
  result: CaseResult | undefined,
  program: ProgramName,
  of: (sample: Sample) => number | undefined = ({ wallMs }) => wallMs,
): number | undefined {
  const values = samplesOf(result, program).flatMap((one) => of(one) ?? []);
  return values.length === 0 ? undefined : median(values);
}

/** How many times as long one program takes as another, round by round. @see pairedRatio */
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

/** How many times as fast as the original. */
export function speedup(
  results: Results,
  id: string,
  program: Ours | "light",
): number | undefined {
  return timesAsLong(findCase(results, id), "original", program);
}

/** How many times as fast as the original, were the runtime's own start for nothing. */
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
  // A start that was measured slower than all of a run says that the machine was busy.
  return time > start ? original / (time - start) : undefined;
}

/** How many times as long as the floor. */
export function overFloor(
  results: Results,
  id: string,
  program: Ours,
): number | undefined {
  return timesAsLong(findCase(results, id), program, `floor-${program}`);
}

/** Our own work: µs a rule above the floor. */
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
