import { judge, growth, type Verdict } from "./bars.js";
import {
  medianMs,
  meanCpuMs,
  overFloor,
  ownMicrosecondsPerRule,
  pageFaults,
  peakBytes,
  samplesOf,
  speedup,
  speedupWithoutStart,
  timesAsLong,
  type CaseResult,
  type Ours,
  type ProgramName,
  type Results,
} from "./results.js";
import { spread } from "./statistics.js";

const PROGRAMS: readonly ProgramName[] = [
  "original",
  "node",
  "full",
  "light",
  "floor-node",
  "floor-full",
  "empty-node",
  "empty-full",
  "nothing",
];
const OURS: readonly Ours[] = ["node", "full"];
const UNKNOWN = "–";

/** The results and bars as Markdown, aligned so that the source is readable. */
export function report(results: Results): string {
  return [
    heading(results),
    "## Against the original",
    "How many times as fast; in brackets, were the start of an empty program of that runtime for nothing.",
    comparisons(results),
    "## Against the floor",
    "The floor says the same requests once more, already encoded, and only counts the answers. How many times as long as it; and our own time above it, in µs a rule.",
    floors(results),
    costs(results),
    "## Start-up, outside the lab",
    startUp(results),
    "User and system time (mean), page faults and peak memory of a run:",
    startCosts(results),
    "## Milliseconds",
    "Median (least–most); in the second row of a floor, without its start.",
    times(results),
    "## Peak memory, MB",
    memory(results),
    "## Bars",
    bars(judge(results)),
  ].join("\n\n");
}

function heading({
  date,
  machine,
  versions,
  missing,
  seconds,
}: Results): string {
  const gib = (machine.memoryBytes / 2 ** 30).toFixed(0);
  const lines = [
    `# ipvsadm bench, ${date.slice(0, 16).replace("T", " ")} UTC`,
    "",
    `- ${machine.cpu}, ${machine.processors} processors, ${gib} GiB, Linux ${machine.kernel}; load at the start ${machine.load.toFixed(2)}`,
    `- lab: ${machine.lab ?? "none"}${machine.pinnedTo === undefined ? "" : `, kept on processor ${machine.pinnedTo}`}`,
    ...Object.entries(versions).map(
      ([name, version]) => `- ${name}: ${version}`,
    ),
    ...Object.entries(missing).map(([name, reason]) => `- ${name}: ${reason}`),
    `- took ${seconds.toFixed(0)} s`,
  ];
  return lines.join("\n");
}

/** Cases with the same work by the original and by our program, in the lab. */
function duels({ cases }: Results): CaseResult[] {
  return cases.filter(
    (one) => !isStart(one) && samplesOf(one, "original").length > 0,
  );
}

function isStart({ id }: CaseResult): boolean {
  return id.startsWith("start-");
}

function comparisons(results: Results): string {
  return table(
    ["case", "original, ms", "Node", "full", "light"],
    duels(results).map((one) => [
      one.title,
      milliseconds(one, "original"),
      ...OURS.map((program) => {
        const whole = multiple(speedup(results, one.id, program));
        const rest = multiple(speedupWithoutStart(results, one.id, program));
        return whole === UNKNOWN ? UNKNOWN : `${whole} (${rest})`;
      }),
      multiple(speedup(results, one.id, "light")),
    ]),
  );
}

function floors(results: Results): string {
  return table(
    ["case", "Node", "full", "Node, µs a rule", "full, µs a rule"],
    duels(results)
      .filter((one) => samplesOf(one, "floor-node").length > 0)
      .map((one) => [
        one.title,
        ...OURS.map((program) => multiple(overFloor(results, one.id, program))),
        ...OURS.map((program) =>
          fixed(ownMicrosecondsPerRule(results, one.id, program), 1),
        ),
      ]),
  );
}

function costs(results: Results): string {
  return table(
    ["own cost per rule", "1,000 services", "10,000 services", "growth"],
    (["restore", "list", "save"] as const).flatMap((what) =>
      OURS.map((program) => [
        `${what}, ${program}`,
        ...[1000, 10_000].map((services) =>
          fixed(
            ownMicrosecondsPerRule(results, `${what}-${services}`, program),
            1,
            " µs",
          ),
        ),
        multiple(growth(results, what, program)),
      ]),
    ),
  );
}

function startUp(results: Results): string {
  const cases = results.cases.filter(isStart);
  return table(
    [
      "",
      "original, ms",
      "node, ms",
      "full, ms",
      "light, ms",
      "empty Node, ms",
      "empty Bun, ms",
      "nothing, ms",
      "Node / empty",
      "full / empty",
      "full / original",
      "light / original",
    ],
    cases.map((one) => [
      one.title.replace(/^.*: /, ""),
      ...(
        [
          "original",
          "node",
          "full",
          "light",
          "empty-node",
          "empty-full",
          "nothing",
        ] as const
      ).map((program) => milliseconds(one, program)),
      multiple(timesAsLong(one, "node", "empty-node")),
      multiple(timesAsLong(one, "full", "empty-full")),
      multiple(timesAsLong(one, "full", "original")),
      multiple(timesAsLong(one, "light", "original")),
    ]),
  );
}

function startCosts(results: Results): string {
  const programs = ["original", "node", "full", "light"] as const;
  return table(
    ["", ...programs],
    results.cases.filter(isStart).map((one) => [
      one.title.replace(/^.*: /, ""),
      ...programs.map((program) => {
        const bytes = peakBytes(results, one.id, program);
        const figures = [
          fixed(meanCpuMs(one, program), 2, " ms"),
          fixed(pageFaults(results, one.id, program), 0),
          fixed(bytes === undefined ? undefined : bytes / 1e6, 1, " MB"),
        ];
        return figures.every((text) => text === UNKNOWN)
          ? UNKNOWN
          : figures.join(", ");
      }),
    ]),
  );
}

function times(results: Results): string {
  const cases = results.cases.filter((one) => !isStart(one));
  const present = PROGRAMS.filter((program) =>
    cases.some((one) => samplesOf(one, program).length > 0),
  );
  return table(
    ["case", ...present],
    cases.flatMap((one) => {
      const row = [one.id, ...present.map((name) => milliseconds(one, name))];
      const inner = present.map((name) =>
        fixed(
          medianMs(one, name, ({ innerMs }) => innerMs),
          0,
        ),
      );
      return inner.some((text) => text !== UNKNOWN)
        ? [row, ["", ...inner.map((text) => (text === UNKNOWN ? "" : text))]]
        : [row];
    }),
  );
}

function memory(results: Results): string {
  const cases = results.cases.filter(({ peaks }) => peaks.length > 0);
  const present = PROGRAMS.filter((program) =>
    cases.some(({ peaks }) => peaks.some((one) => one.program === program)),
  );
  return table(
    ["case", ...present],
    cases.map(({ id }) => [
      id,
      ...present.map((program) => {
        const bytes = peakBytes(results, id, program);
        return fixed(bytes === undefined ? undefined : bytes / 1e6, 1);
      }),
    ]),
  );
}

/** One line per bar. */
export function bars(verdicts: readonly Verdict[]): string {
  return table(
    ["bar", "is to be", "is", ""],
    verdicts.map(({ bar, value, met }) => [
      bar.what,
      `${bar.good} ${bar.limit}${unitOf(bar)}`,
      fixed(value, bar.unit === "" ? 0 : 2, unitOf(bar)),
      met === undefined ? "not measured" : met ? "met" : "NOT met",
    ]),
  );
}

function unitOf({ unit }: Verdict["bar"]): string {
  return unit === "MB" ? " MB" : unit;
}

function milliseconds(result: CaseResult, program: ProgramName): string {
  const middle = medianMs(result, program);
  if (middle === undefined) return UNKNOWN;
  const digits = middle < 100 ? 1 : 0;
  const [least, most] = spread(
    samplesOf(result, program).map(({ wallMs }) => wallMs),
  );
  return `${middle.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

function multiple(value: number | undefined): string {
  return fixed(value, 2, "×");
}

function fixed(value: number | undefined, digits: number, unit = ""): string {
  return value === undefined ? UNKNOWN : `${value.toFixed(digits)}${unit}`;
}

/** A Markdown table with aligned columns: the first to the left, the others to the right. */
export function table(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = titles.map((title, i) =>
    Math.max(3, title.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, i) => pad(cells[i] ?? "", width, i)).join(" | ")} |`;
  const rule = widths.map((width, i) =>
    i === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [line(titles), line(rule), ...rows.map(line)].join("\n");
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
