import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { OutputFailed, writeAtomically } from "../../src/system/atomic-file.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-atomic-"));
after(() => {
  rmSync(folder, { recursive: true });
});

test("writeAtomically() creates a file", () => {
  const path = join(folder, "new");
  writeAtomically(path, "text\xff\n");
  assert.deepEqual(readFileSync(path), Buffer.from("text\xff\n", "latin1"));
});

test("writeAtomically() replaces a file and keeps its permissions", () => {
  const path = join(folder, "old");
  writeFileSync(path, "long before", { mode: 0o640 });
  const before = statSync(path);
  writeAtomically(path, "new");
  const now = statSync(path);
  assert.equal(readFileSync(path, "latin1"), "new");
  assert.notEqual(now.ino, before.ino);
  assert.equal(now.mode & 0o777, 0o640);
});

test("writeAtomically() leaves no temporary file if it fails", () => {
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

test("writeAtomically() names the error of a missing folder", () => {
  assert.throws(() => {
    writeAtomically(join(folder, "absent", "file"), "text");
  }, /cannot write .*absent\/file: ENOENT/);
});

test("writeAtomically() keeps a symbolic link and replaces its target", () => {
  const own = join(folder, "links");
  mkdirSync(own);
  writeFileSync(join(folder, "rules"), "before", { mode: 0o604 });
  symlinkSync("../rules", join(own, "first"));
  symlinkSync(join(own, "first"), join(own, "second"));
  writeAtomically(join(own, "second"), "now");
  assert.equal(readFileSync(join(folder, "rules"), "latin1"), "now");
  assert.equal(statSync(join(folder, "rules")).mode & 0o777, 0o604);
  assert.equal(readlinkSync(join(own, "second")), join(own, "first"));
  assert.equal(readlinkSync(join(own, "first")), "../rules");
});

test("writeAtomically() creates the target of a dangling symbolic link", () => {
  const link = join(folder, "dangling");
  symlinkSync("made", link);
  writeAtomically(link, "now");
  assert.equal(readlinkSync(link), "made");
  assert.equal(readFileSync(join(folder, "made"), "latin1"), "now");
});

test("writeAtomically() rejects a loop of symbolic links", () => {
  const link = join(folder, "circle");
  symlinkSync("circle", link);
  assert.throws(() => {
    writeAtomically(link, "now");
  }, /cannot write .*circle: ELOOP/);
});

test(
  "writeAtomically() does not follow another user's link in a shared folder",
  { skip: process.geteuid?.() !== 0 && "needs root" },
  () => {
    const shared = join(folder, "shared");
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    writeFileSync(join(folder, "secret"), "before");
    symlinkSync("../secret", join(shared, "link"));
    lchownSync(join(shared, "link"), 65534, 65534);
    assert.throws(() => {
      writeAtomically(join(shared, "link"), "now");
    }, /EACCES/);
    assert.equal(readFileSync(join(folder, "secret"), "latin1"), "before");
  },
);

test(
  "writeAtomically() keeps owner and group",
  { skip: process.geteuid?.() !== 0 && "needs root" },
  () => {
    const path = join(folder, "owned");
    writeFileSync(path, "before", { mode: 0o640 });
    chownSync(path, 65534, 65533);
    writeAtomically(path, "now");
    const { uid, gid, mode } = statSync(path);
    assert.deepEqual([uid, gid, mode & 0o777], [65534, 65533, 0o640]);
  },
);

test("writeAtomically() writes to a device, which stays a device", () => {
  const link = join(folder, "null");
  symlinkSync("/dev/null", link);
  writeAtomically(link, "now");
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.ok(statSync("/dev/null").isCharacterDevice());
  const full = join(folder, "full");
  symlinkSync("/dev/full", full);
  assert.throws(() => {
    writeAtomically(full, "now");
  }, /cannot write .*full: ENOSPC/);
});

test("writeAtomically() writes to a pipe, which stays a pipe", () => {
  const path = join(folder, "pipe");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    writeAtomically(path, "now\xff");
    assert.equal(readFileSync(reader, "latin1"), "now\xff");
  } finally {
    closeSync(reader);
  }
  assert.ok(statSync(path).isFIFO());
});

test("writeAtomically() writes to an open descriptor at its current position", () => {
  const path = join(folder, "open");
  const file = openSync(path, "w");
  try {
    writeSync(file, "first ");
    writeAtomically(`/proc/self/fd/${file}`, "second ");
    writeSync(file, "third");
  } finally {
    closeSync(file);
  }
  assert.equal(readFileSync(path, "latin1"), "first second third");
});

test("OutputFailed says whether there is an unchanged file", () => {
  const existed = (path: string) => {
    try {
      writeAtomically(path, "now");
    } catch (error) {
      return error instanceof OutputFailed && error.existed;
    }
    return undefined;
  };
  assert.equal(existed("/proc/version"), true);
  assert.equal(existed(join(folder, "absent", "file")), false);
  assert.equal(existed(folder), false);
});

test("writeAtomically() needs no more room for a name than the file itself", () => {
  const path = join(folder, "x".repeat(255));
  writeAtomically(path, "first");
  writeAtomically(path, "second");
  assert.equal(readFileSync(path, "latin1"), "second");
});

test("writeAtomically() ignores the temporary files of other processes", () => {
  const own = join(folder, "leftovers");
  mkdirSync(own);
  const leftovers = [
    ".file.1.tmp",
    `.file.${process.pid}.tmp`,
    ".ipvsadm-0.tmp",
  ];
  for (const name of leftovers) writeFileSync(join(own, name), "leftover");
  writeAtomically(join(own, "file"), "now");
  assert.deepEqual(readdirSync(own).sort(), [...leftovers, "file"].sort());
});
