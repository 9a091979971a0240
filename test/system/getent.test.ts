import assert from "node:assert/strict";
import { test } from "node:test";
import { namesByGetent, type Getent } from "../../src/system/getent.js";
import type { Names } from "../../src/system/names.js";

const OTHERWISE: Pick<Names, "hostName"> = {
  hostName: () => Promise.resolve("otherwise"),
};

/** Names from a getent with these lines, and the arguments that it was run with. */
function withLines(lines: Readonly<Record<string, string>>) {
  const runs: (readonly string[])[] = [];
  const getent: Getent = (words) => {
    runs.push(words);
    const known = words.flatMap((word) => lines[word] ?? []);
    return Promise.resolve(known.map((line) => `${line}\n`).join(""));
  };
  return { names: namesByGetent(OTHERWISE, getent), runs };
}

test("namesByGetent() returns the first name that getent prints", async () => {
  const { names, runs } = withLines({
    "10.0.0.1": "10.0.0.1        one.example one",
  });
  assert.equal(await names.hostName("10.0.0.1"), "one.example");
  assert.deepEqual(runs, [["hosts", "10.0.0.1"]]);
});

test("namesByGetent() distributes addresses among processes and assigns each its name", async () => {
  const addresses = Array.from({ length: 200 }, (_, i) => `10.0.0.${i}`);
  const { names, runs } = withLines(
    Object.fromEntries(addresses.map((a) => [a, `${a} host-${a}`])),
  );
  const found = await Promise.all(addresses.map((a) => names.hostName(a)));
  assert.deepEqual(
    found,
    addresses.map((a) => `host-${a}`),
  );
  assert.equal(runs.length, 64);
  assert.deepEqual(
    runs
      .flatMap(([, ...words]) => words)
      .sort()
      .join(),
    [...addresses].sort().join(),
  );
});

test("namesByGetent() returns undefined for an unknown address", async () => {
  const { names } = withLines({ "10.0.0.1": "10.0.0.1 one" });
  const both = ["10.0.0.2", "10.0.0.1"].map((a) => names.hostName(a));
  assert.deepEqual(await Promise.all(both), [undefined, "one"]);
});

test("namesByGetent() removes control characters", async () => {
  const { names } = withLines({ "10.0.0.1": "10.0.0.1 a\x1b[2Jb" });
  assert.equal(await names.hostName("10.0.0.1"), "a?[2Jb");
});

test("namesByGetent() falls back to the runtime's resolver if getent is missing", async () => {
  const names = namesByGetent(OTHERWISE, () => Promise.resolve(undefined));
  assert.equal(await names.hostName("10.0.0.1"), "otherwise");
});
