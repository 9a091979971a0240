import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import {
  countsIn,
  failedTests,
  failuresIn,
  sum,
  type Counts,
} from "./counts.js";
import {
  jobsFor,
  NEEDS,
  oneTestOf,
  selectJobs,
  systemNamed,
  titleOf,
  type Job,
  type NeedName,
  type System,
} from "./jobs.js";
import { schedule } from "./schedule.js";

/*
 * Run as `main.js [STAGE…] [quick|usual|all]` by test/run. Each job writes to a file of its own in dist/test-logs. The
 * output of a failed job is printed whole.
 */

const LOGS = "dist/test-logs";
/** Status of test/lab/run: no kernel with ip_vs can be had here */
const NO_LAB = 69;
/** Status of Node.js's test runner, and of test/lab/side-by-side */
const TESTS_FAILED = 1;
/** If more tests of a job fail, that is no accident of the moment. */
const MOST_REPEATED = 3;
/** Of a job's failures, at the end of the output */
const MOST_LINES = 40;

interface Result {
  readonly job: Job;
  readonly outcome: "passed" | "UNSTEADY" | "FAILED" | "SKIPPED";
  readonly seconds: number;
  readonly counts?: Counts;
  readonly remark?: string;
  /** What the tests that failed, perhaps only at first, printed */
  readonly failures?: string;
}

const started = performance.now();
const results: Result[] = [];
/** By the title of a need */
const places = new Map<string, string>();
/** Needs that could not be provided, by their title, and why */
const missing = new Map<string, string>();

/** The seed of the random part: each commit has its own, and repeats it. */
function commitSeed(): number {
  try {
    const hash = execFileSync("git", ["rev-parse", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number.parseInt(hash.slice(0, 7), 16);
  } catch {
    return 2; // not a clone
  }
}

function say(text: string): void {
  const seconds = Math.round((performance.now() - started) / 1000);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  console.log(`${clock.padStart(6)}  ${text}`);
}

/** A need on a system of the lab. */
interface Wanted {
  readonly name: NeedName;
  readonly system: System | undefined;
}

function needsOf({ lab, needs = [], system }: Job): Wanted[] {
  const names = [...(lab ? (["lab"] as const) : []), ...needs];
  return names.map((name) => ({
    name,
    system: NEEDS[name].perSystem ? system : undefined,
  }));
}

function wantedTitle({ name, system }: Wanted): string {
  return system === undefined ? name : `${name}-${system}`;
}

/** Environment of a command that works for a system of the lab. */
function systemEnvironment(system: System | undefined): {
  readonly LAB_SYSTEM: string;
} {
  return { LAB_SYSTEM: system ?? "" };
}

/** Runs a command with its output in a file. @returns its exit status */
async function runInto(
  log: string,
  [program = "", ...words]: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<number> {
  const file = openSync(log, "w");
  try {
    const child = spawn(program, words, {
      stdio: ["ignore", file, file],
      env: { ...process.env, ...environment },
    });
    return await new Promise((resolve) => {
      child.once("error", () => {
        resolve(127);
      });
      child.once("close", (code) => {
        resolve(code ?? 128);
      });
    });
  } finally {
    closeSync(file);
  }
}

async function provide(wanted: Wanted): Promise<void> {
  const { name, system } = wanted;
  const title = wantedTitle(wanted);
  say(`provide ${title}`);
  const { command, printsPlace, optional } = NEEDS[name];
  const log = join(LOGS, `provide-${title}.log`);
  const status = await runInto(
    log,
    printsPlace ? ["bash", "-c", `"$@" >"$0.place"`, log, ...command] : command,
    systemEnvironment(system),
  );
  if (status === 0) {
    if (printsPlace)
      places.set(title, readFileSync(`${log}.place`, "utf8").trim());
    return;
  }
  const said = readFileSync(log, "utf8");
  process.stdout.write(said);
  if (optional) return;
  const last = said.trim().split("\n").at(-1) ?? "";
  missing.set(
    title,
    name === "lab" && status === NO_LAB
      ? last
      : `${command.join(" ")} failed with status ${status}`,
  );
}

/** After this time a guest hangs: a machine may be slow and busy, so it is far more than usual. */
function longestSeconds({ seconds }: Job): number {
  return Math.max(1800, 10 * seconds);
}

async function runJob(job: Job, slot: number, total: number): Promise<void> {
  const title = titleOf(job);
  const needs = needsOf(job);
  const lacks = needs.map(wantedTitle).find((need) => missing.has(need));
  if (lacks !== undefined) {
    const remark = missing.get(lacks) ?? "";
    results.push({ job, outcome: "SKIPPED", seconds: 0, remark });
    say(`SKIPPED ${title}: ${remark}`);
    return;
  }
  say(`start   ${title}`);
  const begun = performance.now();
  const log = join(LOGS, `${title.replace(/[^\w.]+/g, "-")}.log`);
  const first = await runCommand(job, log, slot);
  const unsteady = first.passed ? [] : await repeatFailed(job, first, slot);
  const outcome = first.passed
    ? "passed"
    : unsteady.length > 0
      ? "UNSTEADY"
      : "FAILED";
  const seconds = (performance.now() - begun) / 1000;
  const counts = first.counts && {
    passed: first.counts.passed + unsteady.length,
    failed: first.counts.failed - unsteady.length,
    skipped: first.counts.skipped,
  };
  const remark = `failed at first: ${unsteady.join("; ")}`;
  results.push({
    job,
    outcome,
    seconds,
    ...(counts && { counts }),
    ...(unsteady.length > 0 && { remark }),
    ...(!first.passed && { failures: failuresIn(first.output) }),
  });
  const tests = counts ? `, ${counts.passed} tests` : "";
  say(
    `${outcome}  ${title} in ${seconds.toFixed(0)} s${tests} (${results.length} of ${total})`,
  );
}

/** What came of a command of a job. */
interface Run {
  readonly passed: boolean;
  readonly status: number;
  readonly output: string;
  readonly counts: Counts | undefined;
}

/** Runs the command of a job, and prints its output if it fails. */
async function runCommand(job: Job, log: string, slot: number): Promise<Run> {
  const needs = needsOf(job);
  const words = job.command.map((word) => {
    const need = needs.find(({ name }) => word === `{${name}}`);
    return need === undefined ? word : (places.get(wantedTitle(need)) ?? "");
  });
  const status = await runInto(
    log,
    job.lab ? ["bash", "test/lab/run", ...words] : words,
    {
      LAB_CPU: String(slot),
      ...(process.env["LAB_TIMEOUT"] === undefined && {
        LAB_TIMEOUT: String(longestSeconds(job)),
      }),
      ...systemEnvironment(job.system),
      ...job.environment,
    },
  );
  const output = readFileSync(log, "utf8");
  const counts = countsIn(output);
  // A suite without a test would otherwise pass for ever.
  const passed =
    status === 0 && counts?.passed !== 0 && (counts?.failed ?? 0) === 0;
  if (!passed) {
    const title = titleOf(job);
    console.log(`\n== ${title}: the whole output (${log})`);
    process.stdout.write(output);
    console.log(`== ${title}: exit status ${status}\n`);
  }
  return { passed, status, output, counts };
}

/**
 * Runs the failed tests of a job once more, each by itself: on a busy machine a test with real traffic can fail by accident.
 *
 * @returns their names if all pass now; none if one fails again, or if too many failed
 */
async function repeatFailed(
  job: Job,
  { status, output, counts }: Run,
  slot: number,
): Promise<readonly string[]> {
  // The guest ended before the tests did, so some have no result.
  if (status !== TESTS_FAILED) return [];
  const names = failedTests(output);
  // Something besides a test failed, such as what a suite does before its tests.
  if (names.length !== counts?.failed) return [];
  if (names.length === 0 || names.length > MOST_REPEATED) return [];
  for (const [index, name] of names.entries()) {
    const again = oneTestOf(job, name);
    if (again === undefined) return [];
    const title = titleOf(job);
    say(`again   ${title}: ${name}`);
    const log = `${title.replace(/[^\w.]+/g, "-")}-again-${index + 1}.log`;
    const { passed } = await runCommand(again, join(LOGS, log), slot);
    if (!passed) return [];
  }
  return names;
}

function shortened(text: string): string {
  const lines = text.split("\n");
  const more = lines.length - MOST_LINES;
  return more <= 0
    ? text
    : `${lines.slice(0, MOST_LINES).join("\n")}\n(${more} more lines)`;
}

function summarize(): number {
  console.log("\nSummary");
  for (const { job, outcome, seconds, counts, remark } of results)
    console.log(
      [
        outcome.padEnd(8),
        `${seconds.toFixed(0)} s`.padStart(6),
        ` ${titleOf(job)}`,
        counts ? ` (${counts.passed} passed, ${counts.skipped} skipped)` : "",
        remark === undefined ? "" : `: ${remark}`,
      ].join(" "),
    );
  // Who sees only the end of the output finds the reason there.
  for (const { job, failures = "" } of results)
    if (failures !== "")
      console.log(`\n== ${titleOf(job)}:\n${shortened(failures)}`);
  const failed = results.some(({ outcome }) => outcome === "FAILED");
  const skipped = results.some(({ outcome }) => outcome === "SKIPPED");
  const total = sum(
    results.map(({ counts, outcome }) => ({
      passed: counts?.passed ?? (outcome === "passed" ? 1 : 0),
      failed: Math.max(counts?.failed ?? 0, outcome === "FAILED" ? 1 : 0),
      skipped: (counts?.skipped ?? 0) + (outcome === "SKIPPED" ? 1 : 0),
    })),
  );
  console.log(
    `\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`,
  );
  // A machine without ip_vs may skip the lab, but CI must not.
  return failed || (skipped && process.env["CI"]) ? 1 : 0;
}

let jobs: readonly Job[];
try {
  jobs = selectJobs(
    jobsFor(commitSeed(), systemNamed(process.env["LAB_SYSTEM"])),
    process.argv.slice(2),
  );
} catch (error) {
  console.error(
    `test: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exit(64);
}
rmSync(LOGS, { recursive: true, force: true });
mkdirSync(LOGS, { recursive: true });
const wanted = new Map(
  jobs.flatMap(needsOf).map((need) => [wantedTitle(need), need]),
);
for (const need of wanted.values()) await provide(need);
await schedule(jobs, Math.min(2, availableParallelism()), (job, slot) =>
  runJob(job, slot, jobs.length),
);
process.exit(summarize());
