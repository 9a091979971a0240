import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { test } from "node:test";
import { VERSION } from "../src/runtime/version.js";

const LAUNCHERS = ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"];

/** The maximum size in bytes of the bundle of a classic command, which is read at every start. */
const CLASSIC_BYTES = 90_000;

const bundle = (name: string) => readFileSync(`dist/bin/${name}`, "utf8");

test("the bundles of the launchers contain no package of the subcommands", () => {
  const marks = /yargs|FORCE_COLOR|ansi-styles|colWidths/;
  for (const name of LAUNCHERS)
    assert.doesNotMatch(bundle(`${name}.cjs`), marks);
  const parts = readdirSync("dist/bin").filter((name) => name.endsWith(".js"));
  assert.ok(parts.some((name) => marks.test(bundle(name))));
});

for (const name of LAUNCHERS)
  test(`the bundle of ${name} is within its size budget`, () => {
    const { size } = statSync(`dist/bin/${name}.cjs`);
    assert.ok(size <= CLASSIC_BYTES, `${size} bytes`);
  });

test("VERSION is the version in package.json", () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as {
    version: string;
  };
  assert.equal(VERSION, version);
});
