import assert from "node:assert/strict";
import { test } from "node:test";
import { measureInTurn, inTurn } from "./contest.js";
import { RunFailed, Stopwatch } from "./measure.js";
import type { Program } from "./programs.js";

test("each round starts with a different program", () => {
  const rounds = [0, 1, 2, 3].map((round) => inTurn(["a", "b", "c"], round));
  assert.deepEqual(
    rounds.map((order) => order.join("")),
    ["abc", "bca", "cab", "abc"],
  );
  assert.deepEqual(inTurn([], 1), []);
});

/** A program that is a line of shell. The words of the work are its arguments. */
function shell(name: Program["name"], line: string): Program {
  return { name, file: "sh", words: ["-c", line, "sh"], takes: "command" };
}

function contest(...programs: Program[]) {
  const watch = new Stopwatch();
  let prepared = 0;
  try {
    const result = measureInTurn(
      {
        id: "echo",
        title: "echo",
        work: { words: ["words"] },
        rounds: 2,
        alike: "bytes",
        prepare: () => {
          prepared++;
        },
      },
      programs,
      watch,
    );
    return { result, prepared };
  } finally {
    watch.close();
  }
}

test("measureInTurn() runs every program once per round, after its preparation", () => {
  const { result, prepared } = contest(
    shell("original", 'echo "$1"'),
    shell("node", 'printf "%s\\n" "$1"'),
  );
  assert.deepEqual(
    result.samples.map(({ program, round }) => `${program} ${round}`),
    ["original 0", "node 0", "node 1", "original 1"],
  );
  assert.equal(prepared, 4);
  assert.equal(result.outputBytes, "words\n".length);
  for (const { wallMs } of result.samples) assert.ok(wallMs > 0);
});

test("measureInTurn() rejects a program with different output", () => {
  assert.throws(
    () => contest(shell("original", "echo a"), shell("node", "echo b")),
    { name: RunFailed.name, message: "echo: node prints something else" },
  );
});

for (const line of ["exit 3", "echo trouble >&2", "kill -9 $$"])
  test(`measureInTurn() rejects a failing run: '${line}'`, () => {
    assert.throws(() => contest(shell("node", line)), RunFailed);
  });
