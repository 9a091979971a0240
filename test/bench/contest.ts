import {
  canTellPeaks,
  RunFailed,
  type Run,
  type Stopwatch,
  type Work,
} from "./measure.js";
import type { Program } from "./programs.js";
import type { CaseResult, Peak, Sample } from "./results.js";

/** Work for every program. */
export interface Contest {
  readonly id: string;
  readonly title: string;
  readonly rules?: number;
  readonly work: Work;
  readonly rounds: number;
  /** Run each program once more to measure its memory peak */
  readonly peaks?: boolean;
  /**
   * What must be equal in the outputs: all bytes, only the number of `lines` if the content changes
   * with time, or `nothing`
   */
  readonly alike: "bytes" | "lines" | "nothing";
  /** Runs before each run and is not timed */
  readonly prepare?: () => void;
}

/**
 * Runs the same work with several programs in turn. The order rotates, so that no program always
 * comes first.
 *
 * @throws {RunFailed} if a program fails, or if its output differs from the first one's
 */
export function measureInTurn(
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

/** The programs, in a different order for each round. */
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
