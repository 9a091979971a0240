import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { countsIn, failedTests, sum } from "./counts.js";
import {
  jobsFor,
  NEEDS,
  oneTestOf,
  selectJobs,
  systemNamed,
  titleOf,
} from "./jobs.js";
import { schedule } from "./schedule.js";

const JOBS = jobsFor(7);
const SIDE_BY_SIDE = "test/lab/side-by-side";
const titles = (...words: string[]) => selectJobs(JOBS, words).map(titleOf);

test("jobsFor() gives each job a title of its own", () => {
  const all = JOBS.map(titleOf);
  assert.equal(new Set(all).size, all.length);
});

test("selectJobs() takes the usual size without words, and each size contains the smaller one", () => {
  assert.deepEqual(titles(), titles("usual"));
  assert.ok(titles("all").length > titles().length);
  const parts = JOBS.filter(({ largest }) => largest).map(titleOf);
  for (const title of titles())
    assert.ok([...titles("all"), ...parts].includes(title), title);
});

test("jobsFor() runs a sample on Debian 13 usually, and with all what runs on this machine's system", () => {
  const there = (...words: string[]) =>
    titles(...words)
      .filter((title) => title.endsWith(", on Debian 13"))
      .map((title) => title.replace(/, on Debian 13$/, ""));
  assert.deepEqual(there(), [
    "compat, Node.js: written cases",
    "compat, Node.js: random commands",
    "clients, keepalived",
  ]);
  const all = titles("all");
  for (const title of there("all")) assert.ok(all.includes(title), title);
  const stages = new Set(there("all").map((title) => title.split(",")[0]));
  for (const stage of ["lab", "compat", "subcommands", "traffic", "clients"])
    assert.ok(stages.has(stage), stage);
});

test("jobsFor() with a system has the jobs of that system only, in their usual sizes", () => {
  const jobs = selectJobs(jobsFor(7, "debian13"), ["traffic", "compat"]);
  assert.ok(jobs.every(({ system, lab }) => system === "debian13" && lab));
  assert.deepEqual(
    jobs.map((job) => titleOf({ ...job, system: undefined })),
    titles("traffic", "compat").filter(
      (title) =>
        !title.endsWith("on Debian 13") && !title.includes("system calls"),
    ),
  );
});

test("systemNamed() knows debian13, and refuses another word", () => {
  assert.equal(systemNamed("debian13"), "debian13");
  assert.equal(systemNamed(""), undefined);
  assert.equal(systemNamed(undefined), undefined);
  assert.throws(
    () => systemNamed("debian14"),
    /^Error: unknown LAB_SYSTEM debian14: use debian13$/,
  );
});

/** The files of lab tests that a program runs, with those that it imports for that. */
function labTestsOf(file: string): string[] {
  const imported = Array.from(
    readFileSync(file, "utf8").matchAll(/^import "(\.[^"]+)";$/gm),
    ([, path = ""]) => join(dirname(file), path),
  );
  return [
    ...(file.endsWith(".lab.js") ? [file] : []),
    ...imported.flatMap(labTestsOf),
  ];
}

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

function labTestsOfJob({ command }: { command: readonly string[] }): string[] {
  return command
    .map((word) => join(ROOT, word))
    .filter((word) => word.endsWith(".js") && existsSync(word))
    .flatMap(labTestsOf)
    .map((file) => relative(ROOT, file));
}

test("jobsFor() runs each file of lab tests, and no file twice in a run", () => {
  const here = JOBS.filter(({ system }) => system === undefined);
  const run = new Set(here.flatMap(labTestsOfJob));
  const files = readdirSync(join(ROOT, "dist/test"), {
    encoding: "utf8",
    recursive: true,
  })
    // test/library/run runs those of the library.
    .filter((file) => /^(?!library\/).*\.lab\.js$/.test(file))
    .map((file) => join("dist/test", file));
  assert.deepEqual(
    files.filter((file) => !run.has(file)),
    [],
  );
  const usual = selectJobs(here, []).flatMap(labTestsOfJob);
  assert.deepEqual(
    usual.filter((file, index) => usual.indexOf(file) !== index),
    [],
  );
});

test("jobsFor() runs no test side by side that changes what all network namespaces share", () => {
  const shared = /modprobe -r|rmmod|-m ipvs|nf_conntrack_max=/;
  const changing = JOBS.filter(({ command }) => command.includes(SIDE_BY_SIDE))
    .flatMap(labTestsOfJob)
    .filter((file) => shared.test(readFileSync(join(ROOT, file), "utf8")));
  assert.deepEqual(changing, []);
});

test("jobsFor() needs each place that a command names", () => {
  for (const job of JOBS)
    for (const word of job.command) {
      const name = /^\{(\w+)\}$/.exec(word)?.[1];
      if (name === undefined) continue;
      const need = job.needs?.find((need) => need === name);
      assert.ok(need !== undefined && NEEDS[need].printsPlace, titleOf(job));
    }
});

test("selectJobs() takes lint, unit and a small part of the lab for quick", () => {
  const stages = new Set(selectJobs(JOBS, ["quick"]).map(({ stage }) => stage));
  assert.deepEqual(stages, new Set(["lint", "unit", "lab"]));
});

test("selectJobs() takes the stages that are named", () => {
  assert.ok(
    titles("lint", "traffic").every((one) => /^(lint|traffic)/.test(one)),
  );
  assert.ok(titles("compat", "all").length > titles("compat").length);
});

test("selectJobs() refuses an unknown word and names the stages", () => {
  assert.throws(() => titles("trafic"), /no stage trafic: choose lint, unit/);
});

test("selectJobs() refuses a selection that is empty", () => {
  assert.throws(
    () => titles("library", "quick"),
    /no job of library is in the size quick/,
  );
});

test("countsIn() adds up the counts of Node.js's test runner", () => {
  const output =
    "✔ one\nℹ pass 5\nℹ fail 1\nℹ cancelled 1\nℹ skipped 2\nℹ todo 0\n";
  assert.deepEqual(countsIn(output), { passed: 5, failed: 2, skipped: 2 });
  assert.deepEqual(countsIn(output + output), {
    passed: 10,
    failed: 4,
    skipped: 4,
  });
});

/** What test/lab/side-by-side prints of these reports. */
const sideBySide = (...reports: readonly string[]) =>
  reports
    .map((report, index) => `== dist/test/${index}.js\n${report}`)
    .join("");

test("countsIn() adds up the suites that ran side by side, and counts one without a report or without a test as failed", () => {
  const output = "✔ one\nℹ pass 5\nℹ fail 1\nℹ skipped 2\n";
  assert.deepEqual(countsIn(sideBySide(output, output)), {
    passed: 10,
    failed: 2,
    skipped: 4,
  });
  assert.deepEqual(countsIn(sideBySide("✔ one\n", output)), {
    passed: 5,
    failed: 2,
    skipped: 2,
  });
  assert.deepEqual(countsIn(sideBySide(output, "ℹ pass 0\nℹ fail 0\n")), {
    passed: 5,
    failed: 2,
    skipped: 2,
  });
});

test("countsIn() reads a plain line of counts, and nothing else", () => {
  assert.deepEqual(countsIn("x\n12 passed, 3 failed\n"), {
    passed: 12,
    failed: 3,
    skipped: 0,
  });
  assert.equal(countsIn("All matched files use Prettier\n"), undefined);
});

test("sum() adds counts", () => {
  const one = { passed: 1, failed: 2, skipped: 3 };
  assert.deepEqual(sum([one, one]), { passed: 2, failed: 4, skipped: 6 });
});

test("schedule() runs lone jobs first and alone, then the longest first in all slots", async () => {
  const jobs = [
    { name: "short", seconds: 1 },
    { name: "alone", seconds: 1, alone: true },
    { name: "long", seconds: 9 },
    { name: "middle", seconds: 5 },
  ];
  const order: string[] = [];
  let running = 0;
  let most = 0;
  await schedule(jobs, 2, async ({ name, alone }, slot) => {
    order.push(name);
    assert.ok(slot === 0 || slot === 1);
    running++;
    most = Math.max(most, running);
    if (alone) assert.equal(running, 1);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
  });
  assert.deepEqual(order, ["alone", "long", "middle", "short"]);
  assert.equal(most, 2);
});

test("failedTests() reads the list at the end, without suites that failed because of a test in them", () => {
  const output = [
    "▶ doctor finds what the counters show",
    "  ✖ address-any: tcp/0.0.0.0:80 (1717.376ms)",
    "✖ doctor finds what the counters show (148661.4ms)",
    "ℹ pass 38",
    "ℹ fail 1",
    "",
    "✖ failing tests:",
    "",
    "test at dist/test/commands/doctor/case.js:60:5",
    "✖ address-any: tcp/0.0.0.0:80 (1717.376ms)",
    "  AssertionError [ERR_ASSERTION]: Expected values to be strictly deep-equal:",
    "",
  ].join("\n");
  assert.deepEqual(failedTests(output), ["address-any: tcp/0.0.0.0:80"]);
  assert.deepEqual(failedTests("ℹ pass 38\nℹ fail 0\n"), []);
});

test("failedTests() reads the lists of all suites that ran side by side", () => {
  const report = (name: string) =>
    `✖ suite (9.1ms)\nℹ fail 1\n\n✖ failing tests:\n\ntest at x.js:1:1\n✖ ${name} (1.5ms)\n  Error\n`;
  assert.deepEqual(
    failedTests(
      sideBySide(report("a"), "✔ passes (2ms)\nℹ pass 1\n", report("b")),
    ),
    ["a", "b"],
  );
});

test("oneTestOf() runs the one test in the suites that run side by side", () => {
  const job = JOBS.find(({ command }) => command[1] === SIDE_BY_SIDE);
  assert.ok(job);
  assert.deepEqual(oneTestOf(job, "a")?.command, [
    ...job.command.slice(0, 2),
    "--test-name-pattern=a",
    ...job.command.slice(2),
  ]);
});

test("oneTestOf() runs the one test of a job, whatever characters its name has, and nothing of a job without Node.js's test runner", () => {
  const [job] = selectJobs(JOBS, ["traffic"]);
  assert.ok(job);
  const name = "restore (twice): a+b? [2001:db8::1]:80 / 50%";
  const { command = [] } = oneTestOf(job, name) ?? {};
  const [, , option = "", ...files] = command;
  assert.deepEqual(files, job.command.slice(2));
  const [word, pattern = ""] = option.split("=");
  assert.equal(word, "--test-name-pattern");
  assert.ok(new RegExp(pattern).test(name));
  assert.ok(!new RegExp(pattern).test("restore twice"));
  const [lint] = selectJobs(JOBS, ["lint"]);
  assert.ok(lint);
  assert.equal(oneTestOf(lint, name), undefined);
});
