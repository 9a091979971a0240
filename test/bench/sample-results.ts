import type { CaseResult, ProgramName, Results } from "./results.js";
import { ruleCount } from "./rules.js";

/** Invented results for tests. */
export const NOTHING_MEASURED: Results = {
  schema: 1,
  date: "2026-01-02T03:04:05.678Z",
  command: [],
  machine: {
    cpu: "An Imagined Processor",
    processors: 2,
    memoryBytes: 4 * 2 ** 30,
    kernel: "6.1.0",
    load: 0.25,
  },
  versions: { "Node.js": "v20.0.0" },
  missing: { full: "not built" },
  seconds: 1,
  cases: [],
};

type ByProgram<T> = Readonly<Partial<Record<ProgramName, T>>>;

/**
 * @param times ms by case and program, round by round
 * @param peaks bytes by case and program
 */
export function withCases(
  times: Readonly<Record<string, ByProgram<readonly number[]>>>,
  peaks: Readonly<Record<string, ByProgram<number>>> = {},
): Results {
  const ids = new Set([...Object.keys(times), ...Object.keys(peaks)]);
  return {
    ...NOTHING_MEASURED,
    cases: [...ids].map((id) => oneCase(id, times[id] ?? {}, peaks[id] ?? {})),
  };
}

function oneCase(
  id: string,
  times: ByProgram<readonly number[]>,
  peaks: ByProgram<number>,
): CaseResult {
  const services = Number(/-([0-9]+)$/.exec(id)?.[1] ?? 0);
  return {
    id,
    title: `the case ${id}`,
    rules: ruleCount(services, 2),
    samples: entries(times).flatMap(([program, values]) =>
      values.map((wallMs, round) => ({ program, round, wallMs, cpuMs: 0 })),
    ),
    peaks: entries(peaks).map(([program, bytes]) => ({ program, bytes })),
  };
}

function entries<T>(by: ByProgram<T>): [ProgramName, T][] {
  return Object.entries(by) as [ProgramName, T][];
}
