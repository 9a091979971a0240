import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { hasCapability, mayOpenRawSockets } from "../../src/system/process.js";

const [CAP_NET_RAW, CAP_LAST] = [13n, 63n];

test("the capability checks agree with /proc/self/status", () => {
  const status = readFileSync("/proc/self/status", "latin1");
  const [, digits = ""] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  const effective = BigInt(`0x${digits}`);
  for (let capability = 0n; capability <= CAP_LAST; capability++)
    assert.equal(
      hasCapability(capability),
      (effective & (1n << capability)) !== 0n,
      `capability ${capability}`,
    );
});

test("mayOpenRawSockets() checks its own capability", () => {
  assert.equal(mayOpenRawSockets(), hasCapability(CAP_NET_RAW));
});

// A script that prints how it was called, in a folder for the search path.
const root = mkdtempSync(join(tmpdir(), "ipvsadm-"));
after(() => {
  rmSync(root, { recursive: true });
});
const folder = join(root, "bin");
const script = join(folder, "told.mjs");
const source = new URL("../../src/system/process.js", import.meta.url);
mkdirSync(folder);
writeFileSync(
  script,
  `#!${process.execPath}
import { commandWords, programName } from ${JSON.stringify(source.href)};
process.stdout.write([programName(), ...commandWords()].join("|"), "latin1");
`,
);
chmodSync(script, 0o755);

/** The output of the script when a shell runs this command line. */
function told(line: string, path = "/usr/bin:/bin"): string {
  const { stdout, stderr } = spawnSync("/bin/bash", ["--norc", "-c", line], {
    env: { PATH: path },
    cwd: root,
  });
  assert.equal(stderr.toString(), "");
  return stdout.toString("latin1");
}

test("programName() returns the bare name of a program on the search path", () => {
  assert.equal(told("told.mjs a", `/usr/bin:${folder}`), "told.mjs|a");
});

test("programName() returns the path by which a program was called", () => {
  assert.equal(told(`${script} a`), `${script}|a`);
  assert.equal(told("./bin/told.mjs"), "./bin/told.mjs");
  assert.equal(told("bin/told.mjs"), "bin/told.mjs");
});

test("programName() returns the path if another program of that name comes first", () => {
  const other = join(root, "other");
  mkdirSync(other);
  writeFileSync(join(other, "told.mjs"), "");
  assert.equal(told(script, `${other}:${folder}`), script);
});

test("commandWords() returns all words, including empty ones", () => {
  assert.equal(told(`${script} -A '' ' b ' --`), `${script}|-A|| b |--`);
});

test("commandWords() returns one character per byte, for UTF-8 and other bytes", () => {
  assert.equal(told(`${script} ä`), `${script}|\xc3\xa4`);
  assert.equal(told(`${script} $'-\\xff\\xfe' z`), `${script}|-\xff\xfe|z`);
});
