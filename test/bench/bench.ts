/*
 * bench.js ORIGINAL OPTION...: see options.ts. ORIGINAL is the folder of the original's packages.
 */
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { cpus, loadavg, release, tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { judge } from "./bars.js";
import type { LabReport } from "./in-lab.js";
import { Stopwatch } from "./measure.js";
import { readOptions, USAGE, type Options } from "./options.js";
import { profile } from "./profile.js";
import { allPrograms, whyMissing } from "./programs.js";
import { report } from "./report.js";
import type { Machine, Results } from "./results.js";
import { startUp } from "./startup.js";

/** The exit status of test/lab/run if there can be no lab. */
const NO_LAB = 69;
const USED_WRONG = 64;

const [root = "", ...words] = process.argv.slice(2);
let options: Options;
try {
  options = readOptions(words);
} catch (error) {
  console.error(`bench: ${(error as Error).message}\n${USAGE}`);
  process.exit(USED_WRONG);
}
process.exit(options.profile ? profile(options.profile, options) : bench());

function bench(): number {
  const began = new Date();
  const revision = commit(); // of the build: later commits do not count
  const load = loadavg()[0] ?? NaN;
  const programs = allPrograms(root);
  const missing = Object.fromEntries(
    programs.flatMap((program) => {
      const reason = whyMissing(program);
      return reason === undefined ? [] : [[program.name, reason]];
    }),
  );
  for (const [name, reason] of Object.entries(missing))
    console.error(`bench: ${name}: ${reason}`);
  const present = programs.filter(({ name }) => !(name in missing));
  const watch = new Stopwatch();
  const starts =
    "start".includes(options.only) || options.only.startsWith("start")
      ? startUp(present, watch, options.quick ? 10 : 40)
      : [];
  watch.close();
  const cpu = options.unpinned ? undefined : lastProcessor();
  const inLab = options.only.startsWith("start") ? undefined : runLab(cpu);
  if (typeof inLab === "number") return inLab;
  const results: Results = {
    schema: 1,
    date: began.toISOString(),
    command: words,
    machine: machine(load, inLab?.lab, cpu),
    versions: {
      ...inLab?.versions,
      "Node.js": process.version,
      commit: revision,
    },
    missing,
    seconds: (Date.now() - began.getTime()) / 1000,
    cases: [...starts, ...(inLab?.cases ?? [])],
  };
  console.log(report(results));
  mkdirSync(dirname(options.out), { recursive: true });
  writeFileSync(options.out, `${JSON.stringify(results, undefined, 1)}\n`);
  console.error(`bench: all samples are in ${options.out}`);
  const missed = judge(results).filter(({ met }) => met === false).length;
  if (missed > 0) console.error(`bench: ${missed} bars are not met`);
  return options.strict && missed > 0 ? 1 : 0;
}

/** @returns the exit status if there is nothing to report */
function runLab(cpu: number | undefined): LabReport | number {
  const folder = mkdtempSync(join(tmpdir(), "bench."));
  const { status } = spawnSync(
    "bash",
    [
      ...["test/lab/run", "-o", folder],
      ...[process.execPath, "dist/test/bench/in-lab.js", root],
      JSON.stringify(options),
    ],
    {
      stdio: "inherit",
      env: { ...process.env, ...(cpu !== undefined && { LAB_CPU: `${cpu}` }) },
    },
  );
  try {
    if (status !== 0) {
      if (status !== NO_LAB) console.error("bench: it failed in the lab");
      return status ?? 1;
    }
    return JSON.parse(
      readFileSync(join(folder, "lab.json"), "utf8"),
    ) as LabReport;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The last processor that this process may use, because interrupts prefer the first. */
function lastProcessor(): number | undefined {
  const status = readFileSync("/proc/self/status", "latin1");
  const last = /^Cpus_allowed_list:.*?([0-9]+)$/m.exec(status)?.[1];
  return last === undefined ? undefined : Number(last);
}

function machine(
  load: number,
  lab: string | undefined,
  cpu: number | undefined,
): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? "unknown",
    processors: processors.length,
    memoryBytes: totalmem(),
    kernel: release(),
    load,
    ...(lab !== undefined && { lab }),
    ...(lab?.startsWith("uml") && cpu !== undefined && { pinnedTo: cpu }),
  };
}

function commit(): string {
  const { stdout, error } = spawnSync(
    "git",
    ["describe", "--always", "--dirty"],
    { encoding: "latin1" },
  );
  return error ? "" : stdout.trim();
}
