import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, suite, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

/*
 * What the full executable takes from the environment. Each variable is also tried on a copy that starts as Bun made it,
 * where it must have an effect: a test that cannot fail would prove nothing.
 */

const FULL = resolve("dist/full/ipvsadm-full");
const ON_NODE = resolve("dist/bin/ipvsadm.cjs");
const folder = mkdtempSync(join(tmpdir(), "full."));
after(() => {
  rmSync(folder, { recursive: true });
});

const place = join(folder, "place");
const foreign = join(folder, "foreign.js");
writeFileSync(
  foreign,
  `require("node:fs").writeFileSync(${JSON.stringify(join(place, "foreign"))}, "");`,
);
const unguarded = join(folder, "unguarded");
writeFileSync(unguarded, withoutEntry(readFileSync(FULL)));
chmodSync(unguarded, 0o755);

interface Vector {
  readonly variables: Readonly<Record<string, string>>;
  /** The command line; --version if it does not matter. */
  readonly words?: readonly string[];
}

function vector(name: string, value: string): Vector {
  return { variables: { [name]: value } };
}

const RUN_FOREIGN_CODE = [
  vector("BUN_OPTIONS", `--preload ${foreign}`),
  vector("BUN_OPTIONS", `--require ${foreign}`),
  vector("BUN_OPTIONS", `--import ${foreign}`),
  { variables: { BUN_BE_BUN: "1" }, words: [foreign] },
];

const WRITE_FILES = [
  vector("BUN_OPTIONS", "--cpu-prof"),
  vector("BUN_OPTIONS", "--heap-prof"),
  vector("BUN_BYTECODE_ORDER_OUT", `${place}/order`),
  vector("BUN_BYTECODE_DIGEST_OUT", `${place}/digest`),
  {
    variables: { BUN_JSC_useJITDump: "1", BUN_JSC_jitDumpDirectory: place },
  },
  {
    variables: {
      BUN_JSC_useSamplingProfiler: "1",
      BUN_JSC_samplingProfilerPath: place,
    },
  },
];

const CHANGE_OUTPUT = [
  vector("BUN_OPTIONS", `--config=${folder}/missing`),
  vector("BUN_BE_BUN", "1"),
  vector("BUN_JSC_dumpOptions", "2"),
  vector("BUN_JSC_logJIT", "1"),
  vector("MIMALLOC_VERBOSE", "1"),
];

suite("the full executable", () => {
  for (const [effect, vectors] of Object.entries({
    "does not run foreign code": RUN_FOREIGN_CODE,
    "does not write a file": WRITE_FILES,
    "does not print anything else": CHANGE_OUTPUT,
  }))
    for (const one of vectors)
      test(`${effect} with ${describe(one)}`, () => {
        const usual = run(FULL, { ...one, variables: {} });
        assert.deepEqual(run(FULL, one), usual);
        assert.notDeepEqual(run(unguarded, one), usual);
      });

  test("does not open a debugger's socket with BUN_INSPECT", async () => {
    const socket = join(place, "socket");
    const variables = { BUN_INSPECT: `ws+unix://${socket}?wait=1` };
    assert.deepEqual(run(FULL, { variables }), run(FULL, { variables: {} }));
    // With ?wait=1 it runs nothing until a debugger comes.
    const child = spawn(unguarded, ["--version"], { env: variables });
    while (!existsSync(socket)) {
      assert.equal(child.exitCode, null);
      await sleep(5);
    }
    child.kill();
  });

  test("keeps only the variables that ipvsadm uses", async () => {
    const names = variableNames(readFileSync(FULL));
    assert.ok(names.includes("BUN_OPTIONS") && names.length > 200);
    const kept = {
      COLORFGBG: "0;15",
      COLORTERM: "truecolor",
      COLUMNS: "60",
      IPVSADM_PROGRESS: "never",
      LC_ALL: "C",
      NOTIFY_SOCKET: "/run/notify",
      PATH: "/usr/bin:/bin",
      TZ: "UTC",
      WATCHDOG_USEC: "1000000",
    };
    assert.deepEqual(
      await environmentOf({
        ...Object.fromEntries(names.map((name) => [name, "0"])),
        ...{
          TERMINFO: "/tmp",
          LANGX: "C",
          PATHS: "/tmp",
          MODPROBE_OPTIONS: "-v",
        },
        ...kept,
      }),
      Object.entries(kept).map(([name, value]) => `${name}=${value}`),
    );
  });

  test("uses every variable that the sources ask for", () => {
    const source = readFileSync("bin/full/entry.c", "latin1");
    const asked = readdirSync("src", { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .flatMap(
        (file) =>
          readFileSync(join("src", file), "latin1").match(
            /(?<=environment\(")[A-Z_]+(?="\))/g,
          ) ?? [],
      );
    assert.ok(asked.includes("NO_COLOR"));
    for (const name of asked)
      assert.ok(
        source.includes(`KEPT("${name}")`),
        `bin/full/entry.c removes ${name}`,
      );
  });

  test("does not read settings or modules from the current folder", () => {
    clear();
    mkdirSync(join(place, "node_modules/@colors/colors"), { recursive: true });
    for (const [name, text] of Object.entries({
      "package.json": `{ "browser": { "@colors/colors": "${foreign}" }, "imports": { "#x": "${foreign}" } }`,
      "tsconfig.json": `{ "compilerOptions": { "paths": { "*": ["${foreign}"] } } }`,
      "bunfig.toml": `preload = ["${foreign}"]\n`,
      ".env": "COLUMNS=60\n",
      "node_modules/@colors/colors/index.js": `require("${foreign}");`,
    }))
      writeFileSync(join(place, name), text);
    const files = readdirSync(place);
    // This command draws a table, and the package for tables asks for @colors/colors.
    const words = ["doctor", "--list"];
    const there = start(FULL, words, {});
    assert.deepEqual(readdirSync(place), files);
    clear();
    assert.deepEqual(start(FULL, words, {}), there);
    assert.equal(there.status, 0);
  });

  test("does not wait for a named pipe in the current folder", () => {
    clear();
    for (const name of ["package.json", "tsconfig.json", "bunfig.toml", ".env"])
      assert.equal(spawnSync("mkfifo", [join(place, name)]).status, 0);
    for (const words of [["--version"], ["doctor", "--list"]]) {
      assert.equal(start(FULL, words, {}).status, 0);
      // The same for the program on Node.js.
      const node = start(process.execPath, [ON_NODE, ...words], {});
      assert.equal(node.status, 0);
    }
  });

  test("ignores the name that it is called by, unless it is a program's", () => {
    for (const name of ["bun", "bunx", "node"])
      assert.match(
        spawnSync(FULL, ["--version"], { argv0: name, encoding: "latin1" })
          .stdout,
        /^ipvsadm v/,
      );
  });
});

function describe({ variables, words = [] }: Vector): string {
  return [
    ...Object.entries(variables).map(
      ([name, value]) => `${name}=${value.replaceAll(folder, "")}`,
    ),
    ...words.map((word) => word.replaceAll(folder, "")),
  ].join(" ");
}

function clear(): void {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
}

/** What a run prints, and the kinds of files that it leaves behind in the current folder. */
function run(program: string, { variables, words = ["--version"] }: Vector) {
  clear();
  return { ...start(program, words, variables), files: readdirSync(place) };
}

function start(
  program: string,
  words: readonly string[],
  variables: Readonly<Record<string, string>>,
) {
  const { stdout, stderr, status } = spawnSync(program, words, {
    argv0: "ipvsadm",
    cwd: place,
    env: { PATH: "/usr/bin:/bin", ...variables },
    encoding: "latin1",
    timeout: 120_000,
  });
  return { stdout, stderr, status };
}

/** The environment of a running full executable, as the kernel shows it. */
async function environmentOf(
  variables: Readonly<Record<string, string>>,
): Promise<string[]> {
  // It waits for standard input, once it has started.
  const child = spawn(FULL, ["check", "-"], {
    env: variables,
    stdio: ["pipe", "ignore", "inherit"],
  });
  try {
    const proc = `/proc/${String(child.pid)}`;
    // The runtime has started when it has threads.
    while (readdirSync(`${proc}/task`).length < 2) await sleep(5);
    return readFileSync(`${proc}/environ`, "latin1")
      .split("\0")
      .filter((text) => text !== "");
  } finally {
    child.kill();
  }
}

/** Names of environment variables in the runtime, and their beginnings where it looks for these. */
function variableNames(program: Buffer): string[] {
  const names = program
    .toString("latin1")
    .match(
      /\b(BUN|JSC|NODE|MIMALLOC|UV|ICU|OPENSSL|SSL|XDG|WTF|WEBKIT|NPM|GITHUB)_[A-Z0-9_]{2,}\b/g,
    );
  return [...new Set(names)];
}

/**
 * The executable as Bun made it: it starts where the runtime does.
 *
 * @see bin/full/add-entry.ts
 */
function withoutEntry(program: Buffer): Buffer {
  const start = Number(program.readBigUInt64LE(32));
  const count = program.readUInt16LE(56);
  const last = start + (count - 1) * program.readUInt16LE(54);
  const segment = Number(program.readBigUInt64LE(last + 8));
  program.writeBigUInt64LE(program.readBigUInt64LE(segment), 24);
  return program;
}
