import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { OutputFailed, writeAtomically } from "../../src/system/atomic-file.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-atomic-"));
after(() => {
  rmSync(folder, { recursive: true });
});

test("a file is made", () => {
  const path = join(folder, "new");
  writeAtomically(path, "text\xff\n");
  assert.deepEqual(readFileSync(path), Buffer.from("text\xff\n", "latin1"));
});

test("a file is replaced by another one that has its permissions", () => {
  const path = join(folder, "old");
  writeFileSync(path, "long before", { mode: 0o640 });
  const before = statSync(path);
  writeAtomically(path, "new");
  const now = statSync(path);
  assert.equal(readFileSync(path, "latin1"), "new");
  assert.notEqual(now.ino, before.ino);
  assert.equal(now.mode & 0o777, 0o640);
});

test("what cannot be written leaves nothing behind", () => {
  const path = join(folder, "occupied");
  mkdirSync(path);
  const before = readdirSync(folder);
  assert.throws(
    () => {
      writeAtomically(path, "text");
    },
    (error) =>
      error instanceof OutputFailed &&
      error.code === "EISDIR" &&
      error.path === path,
  );
  assert.deepEqual(readdirSync(folder), before);
});

test("a folder that does not exist is named by its error", () => {
  assert.throws(() => {
    writeAtomically(join(folder, "absent", "file"), "text");
  }, /cannot write .*absent\/file: ENOENT/);
});
