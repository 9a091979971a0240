import {
  findCase,
  overFloor,
  ownMicrosecondsPerRule,
  pageFaults,
  peakBytes,
  speedup,
  timesAsLong,
  type Ours,
  type ProgramName,
  type Results,
} from "./results.js";

/** A goal of the bench. */
export interface Bar {
  readonly what: string;
  readonly limit: number;
  /** Which side of the limit is good */
  readonly good: "at least" | "at most" | "under";
  readonly unit: "×" | "MB" | "";
  /** @returns undefined if it was not measured */
  measure(results: Results): number | undefined;
}

export interface Verdict {
  readonly bar: Bar;
  readonly value: number | undefined;
  /** undefined if it was not measured */
  readonly met: boolean | undefined;
}

const NAMES: Readonly<Record<Ours | "light", string>> = {
  light: "light",
  node: "Node",
  full: "full",
};

/** In the order of the report. */
export const BARS: readonly Bar[] = [
  faster("restore of 3,000 rules", "restore-1000", "full", 5),
  faster("restore of 3,000 rules", "restore-1000", "node", 3),
  faster("restore of 30,000 rules", "restore-10000", "full", 4.5),
  faster("restore of 30,000 rules", "restore-10000", "node", 3.5),
  nearFloor("restore of 30,000 rules", "restore-10000", "full", 1.3),
  nearFloor("restore of 30,000 rules", "restore-10000", "node", 1.3),
  faster("list of 10,000 services", "list-10000", "full", 4),
  faster("list of 10,000 services", "list-10000", "node", 2.5),
  nearFloor("list of 10,000 services", "list-10000", "full", 1.5),
  nearFloor("list of 10,000 services", "list-10000", "node", 1.5),
  faster("save of 10,000 services", "save-10000", "full", 4),
  faster("save of 10,000 services", "save-10000", "node", 2.5),
  nearFloor("save of 10,000 services", "save-10000", "full", 1.5),
  nearFloor("save of 10,000 services", "save-10000", "node", 1.5),
  faster("list of connections", "connections", "full", 1),
  ...lightBars(),
  faster("list of connections", "connections", "node", 1),
  started("start-version", "full", "original", "the original", 2),
  started("start-no-module", "full", "original", "the original", 2),
  started("start-version", "full", "empty-full", "an empty Bun program", 1.5),
  started("start-no-module", "full", "empty-full", "an empty Bun program", 1.5),
  started("start-version", "node", "empty-node", "an empty Node program", 1.3),
  started(
    "start-no-module",
    "node",
    "empty-node",
    "an empty Node program",
    1.3,
  ),
  ...(["restore", "list", "save"] as const).flatMap((what) => [
    steady(what, "full", 1.2),
    steady(what, "node", 1.2),
  ]),
  {
    what: "peak memory of the list of 10,000 services, Node",
    limit: 150,
    good: "under",
    unit: "MB",
    measure(results) {
      const bytes = peakBytes(results, "list-10000", "node");
      return bytes === undefined ? undefined : bytes / 1e6;
    },
  },
];

export function judge(
  results: Results,
  bars: readonly Bar[] = BARS,
): Verdict[] {
  return bars.map((bar) => {
    const value = bar.measure(results);
    return {
      bar,
      value,
      met: value === undefined ? undefined : isMet(bar, value),
    };
  });
}

function isMet({ good, limit }: Bar, value: number): boolean {
  switch (good) {
    case "at least":
      return value >= limit;
    case "at most":
      return value <= limit;
    case "under":
      return value < limit;
  }
}

/** The bars of the light program. */
function lightBars(): readonly Bar[] {
  const original = ["original", "the original"] as const;
  return [
    faster("restore of 3,000 rules", "restore-1000", "light", 3.5),
    faster("restore of 30,000 rules", "restore-10000", "light", 4.5),
    faster("list of 10,000 services", "list-10000", "light", 4),
    faster("save of 10,000 services", "save-10000", "light", 2.5),
    faster("list of connections", "connections", "light", 1),
    started("start-version", "light", ...original, 0.8),
    started("start-no-module", "light", ...original, 1.3),
    asLong("list of 10 rules", "small-list", 2),
    asLong("script of 100 commands", "small-script", 1.6),
    ...["start-version", "start-no-module", "small-list"].map(peakOf),
    {
      what: "list of 10 rules, light: page faults",
      limit: 550,
      good: "at most",
      unit: "",
      measure: (results) => pageFaults(results, "small-list", "light"),
    },
  ];
}

function asLong(what: string, id: string, limit: number): Bar {
  return {
    what: `${what}, light: times as long as the original`,
    limit,
    good: "at most",
    unit: "×",
    measure: (results) =>
      timesAsLong(findCase(results, id), "light", "original"),
  };
}

function peakOf(id: string): Bar {
  return {
    what: `${id}, light: peak memory`,
    limit: 4,
    good: "at most",
    unit: "MB",
    measure(results) {
      const bytes = peakBytes(results, id, "light");
      return bytes === undefined ? undefined : bytes / 1e6;
    },
  };
}

function faster(
  what: string,
  id: string,
  program: Ours | "light",
  limit: number,
): Bar {
  return {
    what: `${what}, ${NAMES[program]}: times as fast as the original`,
    limit,
    good: "at least",
    unit: "×",
    measure: (results) => speedup(results, id, program),
  };
}

function nearFloor(
  what: string,
  id: string,
  program: Ours,
  limit: number,
): Bar {
  return {
    what: `${what}, ${NAMES[program]}: times as long as the floor`,
    limit,
    good: "at most",
    unit: "×",
    measure: (results) => overFloor(results, id, program),
  };
}

function started(
  id: "start-version" | "start-no-module",
  program: Ours | "light",
  other: ProgramName,
  otherName: string,
  limit: number,
): Bar {
  const what = id === "start-version" ? "--version" : "-Ln without ip_vs";
  return {
    what: `${what}, ${NAMES[program]}: times as long as ${otherName}`,
    limit,
    good: "at most",
    unit: "×",
    measure: (results) => timesAsLong(findCase(results, id), program, other),
  };
}

/** Cost per rule does not increase with the size of the table. */
function steady(
  what: "restore" | "list" | "save",
  program: Ours,
  limit: number,
): Bar {
  return {
    what: `${what}, ${NAMES[program]}: own cost per rule with 10,000 services against 1,000`,
    limit,
    good: "at most",
    unit: "×",
    measure: (results) => growth(results, what, program),
  };
}

/**
 * @returns undefined if it was not measured, or if the smaller table's time is not above the floor
 */
export function growth(
  results: Results,
  what: "restore" | "list" | "save",
  program: Ours,
): number | undefined {
  const few = ownMicrosecondsPerRule(results, `${what}-1000`, program);
  const many = ownMicrosecondsPerRule(results, `${what}-10000`, program);
  if (few === undefined || many === undefined || few <= 0) return undefined;
  return many / few;
}
