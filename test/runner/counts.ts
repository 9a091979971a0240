/** How many tests a job ran. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0 };

/** A suite that ended without a report, or that has no test, has failed. */
const NO_REPORT: Counts = { passed: 0, failed: 1, skipped: 0 };

/** The parts of the output of test/lab/side-by-side, one for each suite. Any other output is one part. */
function reportsIn(output: string): readonly string[] {
  const [before = "", ...reports] = output.split(/^== \S+\.js$/m);
  return reports.length === 0 ? [before] : reports;
}

/**
 * Reads the counts from the output of a job: the last lines of Node.js's test runner (`ℹ pass 51`), or a line
 * `12 passed, 0 failed`. Adds up the reports of suites that ran side by side. undefined if the job printed neither.
 */
export function countsIn(output: string): Counts | undefined {
  const reports = reportsIn(output);
  const [first = ""] = reports;
  return reports.length === 1
    ? countsOf(first)
    : sum(reports.map(countsOfSuite));
}

function countsOfSuite(report: string): Counts {
  const { passed, failed, skipped } = countsOf(report) ?? NO_REPORT;
  return passed + failed + skipped === 0
    ? NO_REPORT
    : { passed, failed, skipped };
}

function countsOf(output: string): Counts | undefined {
  const number = (word: string) => {
    const found = Array.from(
      output.matchAll(new RegExp(`^ℹ ${word} ([0-9]+)$`, "gm")),
    );
    return found.length === 0
      ? undefined
      : found.reduce((sum, [, count]) => sum + Number(count), 0);
  };
  const passed = number("pass");
  if (passed !== undefined)
    return {
      passed,
      failed: (number("fail") ?? 0) + (number("cancelled") ?? 0),
      skipped: (number("skipped") ?? 0) + (number("todo") ?? 0),
    };
  const [, good, bad] =
    /^(?:\w+: )?([0-9]+) passed, ([0-9]+) failed\b/m.exec(output) ?? [];
  return good === undefined
    ? undefined
    : { passed: Number(good), failed: Number(bad), skipped: 0 };
}

/** What Node.js's test runner prints at its end about the tests that failed. Empty if none did. */
export function failuresIn(output: string): string {
  return reportsIn(output)
    .map((report) => report.split(/^✖ failing tests:$/m)[1] ?? "")
    .map((list) => list.trim())
    .filter((list) => list !== "")
    .join("\n\n");
}

/** The names of the tests that failed, without those that failed only because of a test in them. */
export function failedTests(output: string): string[] {
  return Array.from(
    failuresIn(output).matchAll(/^✖ (.+) \([0-9.]+ms\)$/gm),
    ([, name = ""]) => name,
  );
}

export function sum(counts: Iterable<Counts>): Counts {
  let total = NOTHING;
  for (const { passed, failed, skipped } of counts)
    total = {
      passed: total.passed + passed,
      failed: total.failed + failed,
      skipped: total.skipped + skipped,
    };
  return total;
}
