import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Random } from "../compat/random.js";
import { seedOf } from "./case.js";
import { fileError, withHook } from "./failing-files.js";
import { mutated } from "./mutations.js";
import { randomTables } from "./command-lines.js";
import { rulesOf } from "./random-rules.js";
import {
  campaignStatus,
  checkTable,
  checkWords,
  isBetween,
  type TableState,
} from "./verdict.js";
import { World } from "./world.js";

function state(...rows: readonly (readonly [string, string])[]): TableState {
  return { rows: new Map(rows), text: rows.flat().join("\n") };
}

const BEFORE = state(["service", "rr"], ["server", "weight 1"]);
const AFTER = state(["service", "wrr"], ["server", "weight 2"]);
const HALF = state(["service", "wrr"], ["server", "weight 1"]);
const LINE = { words: ["apply", "file"] };
const TRAFFIC = { sent: 1, received: 1 };

function result(status: number, stderr: string) {
  return { status, stdout: "", stderr, traffic: TRAFFIC };
}

suite("the rule of the campaign of faults", () => {
  test("checkTable() refuses success without the wanted table", () => {
    checkTable(result(0, ""), AFTER, BEFORE, AFTER);
    assert.throws(() => {
      checkTable(result(0, ""), BEFORE, BEFORE, AFTER);
    }, /exit status 0/);
  });

  test("checkTable() refuses words that are not true", () => {
    const words = "ipvsadm: nothing was changed\n";
    checkTable(result(1, words), BEFORE, BEFORE, AFTER);
    assert.throws(() => {
      checkTable(result(1, words), HALF, BEFORE, AFTER);
    }, /it says/);
  });

  test("checkTable() takes half of the changes only if the words say so", () => {
    checkTable(result(1, "the rollback is incomplete"), HALF, BEFORE, AFTER);
    assert.throws(() => {
      checkTable(result(1, "cannot add server"), HALF, BEFORE, AFTER);
    }, /half of the changes/);
  });

  test("isBetween() finds a lost row, and a row of neither table", () => {
    assert.ok(isBetween(HALF, BEFORE, AFTER));
    assert.ok(!isBetween(state(["service", "rr"]), BEFORE, AFTER));
    assert.ok(
      isBetween(state(["service", "rr"]), BEFORE, AFTER, "may lack rows"),
    );
    assert.ok(
      !isBetween(
        state(["service", "sh"], ["server", "weight 1"]),
        BEFORE,
        AFTER,
      ),
    );
  });

  test("checkWords() refuses stack traces, silence and control characters", () => {
    checkWords(LINE, result(1, "ipvsadm: no such file\n"));
    for (const wrong of [
      "x\n    at run (file.js:1:2)",
      "undefined",
      "TypeError: x",
      "\x1b[31m",
      "",
    ])
      assert.throws(() => {
        checkWords(LINE, result(1, wrong));
      });
    assert.throws(() => {
      checkWords(LINE, { ...result(1, "x"), thrown: new Error("x") });
    }, /it threw/);
  });
});

suite("the campaign of faults", () => {
  const run = (program: string, ...options: string[]) =>
    spawnSync(
      process.execPath,
      [fileURLToPath(new URL(program, import.meta.url)), ...options],
      { encoding: "utf8" },
    );

  test("campaignStatus() fails if a case failed, or if none ran", (t) => {
    t.mock.method(console, "log", () => undefined);
    const { mock } = t.mock.method(console, "error", () => undefined);
    assert.equal(campaignStatus(3, 0), 0);
    assert.equal(campaignStatus(3, 1), 1);
    assert.equal(mock.callCount(), 0);
    assert.equal(campaignStatus(0, 0), 1);
    assert.deepEqual(mock.calls[0]?.arguments, ["faults: no case ran"]);
  });

  test("the campaign fails if there was no time for a case", () => {
    const { status, stdout, stderr } = run("main.js", "--seconds", "0");
    assert.match(stdout, /\n0 passed, 0 failed\n$/);
    assert.equal(stderr, "faults: no case ran\n");
    assert.equal(status, 1);
  });

  for (const program of ["main.js", "lab-main.js"])
    test(`${program} of the campaign refuses to run no case`, () => {
      const { status, stderr } = run(program, "--cases", "0");
      assert.equal(stderr, "faults: --cases is at least 1\n");
      assert.equal(status, 64);
    });

  test("seedOf() gives each case other random choices, and the same each time", () => {
    const tables = (seed: number, number: number) => {
      const { before, wanted } = randomTables(new Random(seedOf(seed, number)));
      return rulesOf(before) + mutated(new Random(number), rulesOf(wanted));
    };
    assert.equal(tables(7, 3), tables(7, 3));
    const all = Array.from({ length: 100 }, (_, number) => tables(7, number));
    assert.equal(new Set(all).size, 100);
  });

  test("withHook() fails a call of node:fs below its folder, and no other", async () => {
    using world = new World();
    world.reset();
    const calls: string[] = [];
    await withHook(
      world.folder,
      ({ name }) => {
        calls.push(name);
        if (name === "renameSync") throw fileError("EROFS", name);
        return undefined;
      },
      async () => {
        const { status, stderr } = await world.run({
          words: ["save", world.path("saved")],
        });
        assert.equal(status, 1);
        assert.match(stderr, /cannot write .*: Read-only file system/);
      },
    );
    assert.ok(calls.includes("renameSync"));
    assert.equal(world.read("saved"), undefined);
  });
});
