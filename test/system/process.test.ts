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

test("capabilities are those that the kernel shows", () => {
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

test("raw sockets are a capability of their own", () => {
  assert.equal(mayOpenRawSockets(), hasCapability(CAP_NET_RAW));
});

// A script that tells how it was called, in a folder that the search path may name.
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

/** What the script tells when a shell carries this line out. */
function told(line: string, path = "/usr/bin:/bin"): string {
  const { stdout, stderr } = spawnSync("/bin/bash", ["--norc", "-c", line], {
    env: { PATH: path },
    cwd: root,
  });
  assert.equal(stderr.toString(), "");
  return stdout.toString("latin1");
}

test("a program that is found on the search path has its bare name", () => {
  assert.equal(told("told.mjs a", `/usr/bin:${folder}`), "told.mjs|a");
});

test("a program that is called by its path has that", () => {
  assert.equal(told(`${script} a`), `${script}|a`);
  assert.equal(told("./bin/told.mjs"), "./bin/told.mjs");
  assert.equal(told("bin/told.mjs"), "bin/told.mjs");
});

test("a program of the same name earlier on the search path is another one", () => {
  const other = join(root, "other");
  mkdirSync(other);
  writeFileSync(join(other, "told.mjs"), "");
  assert.equal(told(script, `${other}:${folder}`), script);
});

test("words come as they are, empty ones too", () => {
  assert.equal(told(`${script} -A '' ' b ' --`), `${script}|-A|| b |--`);
});

test("words are one character a byte, be they UTF-8 or not", () => {
  assert.equal(told(`${script} ä`), `${script}|\xc3\xa4`);
  assert.equal(told(`${script} $'-\\xff\\xfe' z`), `${script}|-\xff\xfe|z`);
});
