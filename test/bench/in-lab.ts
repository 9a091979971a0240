/* in-lab.js ORIGINAL OPTIONS: the cases that need ip_vs. OPTIONS is JSON. Writes /lab/lab.json. */
import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { measureInTurn, type Contest } from "./contest.js";
import { Stopwatch, type Work } from "./measure.js";
import type { Options } from "./options.js";
import { allPrograms, whyMissing, type Program } from "./programs.js";
import type { CaseResult } from "./results.js";
import { ruleCount, ruleText } from "./rules.js";
import { settle } from "./settle.js";

/** The results for the bench outside the lab. */
export interface LabReport {
  readonly lab: string;
  /** The version that each program prints; the original needs ip_vs for it */
  readonly versions: Readonly<Record<string, string>>;
  readonly cases: readonly CaseResult[];
}

interface Size {
  readonly services: number;
  readonly rounds: number;
}

const SIZES: readonly Size[] = [
  { services: 1000, rounds: 5 },
  { services: 5000, rounds: 3 },
  { services: 10_000, rounds: 3 },
];
const LARGEST = 10_000;
const SERVERS_OF_ONE = 2000;
const CONNECTIONS = 50_000;

const [root = "", json = "{}"] = process.argv.slice(2);
const options = JSON.parse(json) as Options;
const watch = new Stopwatch();
const programs = allPrograms(root).filter((program) => !whyMissing(program));
const workers = programs.filter(({ takes }) => takes !== "bare");
const commands = programs.filter(({ takes }) => takes === "command");
const cases: CaseResult[] = [];
const versions: Record<string, string> = {};

try {
  for (const program of commands)
    versions[program.name] = watch.firstLine(program, ["--version"]); // also loads it into the page cache
  empty();
  small();
  for (const size of SIZES)
    if (!options.quick || size.services === 1000) table(size);
  oneService();
  connections();
} finally {
  watch.close();
}
const report: LabReport = {
  lab: `${process.env["LAB_KERNEL"] ?? ""} ${release()}`,
  versions,
  cases,
};
writeFileSync("/lab/lab.json", JSON.stringify(report));

function wanted(...ids: string[]): boolean {
  return ids.some((id) => id.includes(options.only));
}

function contest(
  entry: Omit<Contest, "rounds">,
  among: readonly Program[],
  rounds: number,
): void {
  if (!wanted(entry.id)) return;
  const before = Date.now();
  const taken =
    options.rounds ?? (options.quick ? Math.min(rounds, 3) : rounds);
  cases.push(measureInTurn({ ...entry, rounds: taken }, among, watch));
  const seconds = ((Date.now() - before) / 1000).toFixed(0);
  console.error(`bench: ${entry.id}: ${taken} rounds in ${seconds} s`);
}

/**
 * The start-up time of each runtime. Always measured, because other figures are derived from it.
 */
function empty(): void {
  const bare = programs.filter(({ takes }) => takes === "bare");
  const rounds = options.rounds ?? 5;
  const title = "an empty program, in the lab";
  const work = { words: [] };
  cases.push(
    measureInTurn(
      { id: "empty", title, work, rounds, alike: "nothing" },
      bare,
      watch,
    ),
  );
}

/** Single commands on a table of 10 rules, as scripts and people give them. */
function small(): void {
  if (!wanted("small-list", "small-add", "small-script")) return;
  restoration("rules-small", ruleText(2, 4));
  const rounds = 20;
  const service = ["-t", "192.0.2.1:80"];
  contest(
    {
      id: "small-list",
      title: "ipvsadm -Ln with 10 rules",
      work: { words: ["-Ln"] },
      peaks: true,
      alike: "bytes",
    },
    commands,
    rounds,
  );
  contest(
    {
      id: "small-add",
      title: "ipvsadm -A with 10 rules",
      work: { words: ["-A", ...service] },
      peaks: true,
      alike: "bytes",
      prepare() {
        const [original] = commands;
        if (original) watch.run(original, { words: ["-C"] });
      },
    },
    commands,
    rounds,
  );
  clear();
  const pair = [
    ["-A", ...service],
    ["-D", ...service],
  ];
  contest(
    {
      id: "small-script",
      title: "a script of 100 commands",
      work: { words: [], script: Array(50).fill(pair).flat() as string[][] },
      alike: "bytes",
    },
    commands,
    3,
  );
}

function table({ services, rounds }: Size): void {
  const ids = ["restore", "list", "save", "stats"].map(
    (what) => `${what}-${services}`,
  );
  if (!wanted(...ids)) return;
  const rules = ruleCount(services, 2);
  const peaks = services === LARGEST || options.quick;
  const restoring = restoration(`rules-${services}`, ruleText(services, 2));
  contest(
    {
      id: `restore-${services}`,
      title: `restore ${services} services, 2 servers each`,
      rules,
      work: restoring,
      peaks,
      alike: "bytes",
      prepare: clear,
    },
    workers,
    rounds,
  );
  for (const [what, words] of [
    ["list", ["-Ln"]],
    ["save", ["-Sn"]],
    ["stats", ["-Ln", "--stats"]],
  ] as const) {
    const id = `${what}-${services}`;
    if (!wanted(id) || (what === "stats" && services === LARGEST)) continue;
    contest(
      {
        id,
        title: `ipvsadm ${words.join(" ")} with ${services} services`,
        rules,
        work: recorded({ words }, id),
        peaks: peaks && what === "list",
        alike: "bytes",
      },
      workers,
      rounds,
    );
  }
}

function oneService(): void {
  const rules = ruleCount(1, SERVERS_OF_ONE);
  if (!wanted("one-service-restore", "one-service-list")) return;
  const work = restoration("rules-one", ruleText(1, SERVERS_OF_ONE));
  contest(
    {
      id: "one-service-restore",
      title: `restore one service with ${SERVERS_OF_ONE} servers`,
      rules,
      work,
      alike: "bytes",
      prepare: clear,
    },
    workers,
    3,
  );
  if (!wanted("one-service-list")) return;
  contest(
    {
      id: "one-service-list",
      title: `ipvsadm -Ln with one service of ${SERVERS_OF_ONE} servers`,
      rules,
      work: recorded({ words: ["-Ln"] }, "one-service-list"),
      alike: "bytes",
    },
    workers,
    3,
  );
}

function connections(): void {
  if (!wanted("connections")) return;
  clear();
  script("connections.js", [String(CONNECTIONS)]);
  contest(
    {
      id: "connections",
      title: `ipvsadm -Lnc with ${CONNECTIONS} connections`,
      rules: CONNECTIONS,
      work: { words: ["-Lnc"] },
      peaks: true,
      alike: "lines", // the expiry in seconds changes
    },
    commands,
    3,
  );
}

/** Restores a table, and leaves it in the kernel. */
function restoration(name: string, rules: string): Work {
  const stdin = watch.file(name);
  writeFileSync(stdin, rules);
  clear();
  return recorded({ words: ["-R"], stdin }, name);
}

/** The same work, with the recorded requests of our program. */
function recorded(work: Work, name: string): Work {
  const recording = watch.file(`${name}.recording`);
  script("record.js", [recording, ...work.words], work.stdin);
  return { ...work, recording };
}

/**
 * Runs a script of the bench in a process of its own. A small bench process starts others faster,
 * because fork(2) copies it.
 */
function script(
  name: string,
  words: readonly string[],
  stdin = "/dev/null",
): void {
  const input = openSync(stdin, "r");
  execFileSync(process.execPath, [`dist/test/bench/${name}`, ...words], {
    stdio: [input, "inherit", "inherit"],
  });
  closeSync(input);
}

function clear(): void {
  const [original] = commands;
  if (original) watch.run(original, { words: ["-C"] });
  settle();
}
