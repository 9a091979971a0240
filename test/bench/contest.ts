import {
  canTellPeaks,
  RunFailed,
  type Run,
  type Stopwatch,
  type Work,
} from "./measure.js";
import type { Program } from "./programs.js";
import type { CaseResult, Peak, Sample } from "./results.js";

/** One thing to be done by each program. */
export interface Contest {
  readonly id: string;
  readonly title: string;
  readonly rules?: number;
  readonly work: Work;
  readonly rounds: number;
  /** Also a run of each for its peak of memory */
  readonly peaks?: boolean;
  /** What all must print alike; `lines` where the content changes with time, `nothing` where it is no matter */
  readonly alike: "bytes" | "lines" | "nothing";
  /** Before each run, not timed */
  readonly prepare?: () => void;
}

/**
 * Has programs do the same, in turn: the first of one round is the last of the next, so that none always
 * begins.
 *
 * @throws {RunFailed} when a program does not do it, or prints something else than the first
 */
export function hold(
  contest: Contest,
  programs: readonly Program[],
  watch: Stopwatch,
): CaseResult {
  const { id, title, rules = 0, work, rounds } = contest;
  const samples: Sample[] = [];
  const peaks: Peak[] = [];
  let model: Run | undefined;
  for (let round = 0; round < rounds; round++) {
    for (const program of inTurn(programs, round)) {
      contest.prepare?.();
      const run = watch.run(program, work);
      const { wallMs, cpuMs, innerMs } = run;
      samples.push({
        program: program.name,
        round,
        wallMs,
        cpuMs,
        ...(innerMs !== undefined && { innerMs }),
      });
      if (program.takes !== "command") continue;
      model ??= run;
      if (!isAlike(contest.alike, model, run))
        throw new RunFailed(`${id}: ${program.name} prints something else`);
    }
  }
  if (contest.peaks && canTellPeaks())
    for (const program of programs) {
      contest.prepare?.();
      peaks.push({ program: program.name, ...watch.peak(program, work) });
    }
  return {
    id,
    title,
    rules,
    ...(model && { outputBytes: model.outputBytes }),
    samples,
    peaks,
  };
}

/** The programs, begun with another one each round. */
export function inTurn<T>(items: readonly T[], round: number): T[] {
  const first = items.length === 0 ? 0 : round % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function isAlike(alike: Contest["alike"], model: Run, run: Run): boolean {
  switch (alike) {
    case "bytes":
      return run.digest === model.digest;
    case "lines":
      return run.outputLines === model.outputLines;
    case "nothing":
      return true;
  }
}
