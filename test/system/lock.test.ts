import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LockFailed, LockHeld, takeLock } from "../../src/system/lock.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-lock-"));
const place = { runFolder: folder, procFolder: "/proc" };
const name = `ipvsadm-${statSync("/proc/self/ns/net").ino}.lock`;
const file = join(folder, name);

beforeEach(() => {
  for (const one of readdirSync(folder))
    rmSync(join(folder, one), { recursive: true });
});
after(() => {
  rmSync(folder, { recursive: true });
});

const HOLDER = fileURLToPath(new URL("lock-holder.js", import.meta.url));

/** Starts a process that takes the lock. */
async function otherProcess() {
  const child = spawn(process.execPath, [HOLDER, folder], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout);
  const [said] = (await once(lines, "line")) as [string];
  const gone = once(child, "exit");
  return {
    pid: child.pid,
    said,
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

test("takeLock() creates a file that names the holder, and release() deletes it", () => {
  {
    using lock = takeLock(place, "apply");
    assert.equal(lock.path, file);
    assert.match(
      readFileSync(file, "utf8"),
      new RegExp(`^${process.pid} [0-9]+ pid:\\[[0-9]+\\] apply\n$`),
    );
    assert.deepEqual(readdirSync(folder), [name]);
  }
  assert.deepEqual(readdirSync(folder), []);
});

test("release() deletes the file once, and not if another process owns it now", () => {
  const first = takeLock(place, "apply");
  first.release();
  const second = takeLock(place, "restore");
  first.release();
  assert.deepEqual(readdirSync(folder), [name]);
  writeFileSync(file, "another's");
  second.release();
  assert.deepEqual(readdirSync(folder), [name]);
});

test("takeLock() throws LockHeld if a living process holds the lock", async () => {
  const other = await otherProcess();
  assert.equal(other.said, "taken");
  assert.throws(
    () => takeLock(place, "apply"),
    (error) => {
      assert.ok(error instanceof LockHeld);
      assert.deepEqual(error.holder, {
        pid: other.pid,
        subcommand: "apply",
        visible: true,
      });
      return true;
    },
  );
  const third = await otherProcess();
  assert.equal(third.said, `held by ${other.pid}`);
  await other.kill();
  await third.kill();
});

test("takeLock() takes over the lock of a killed process", async () => {
  const other = await otherProcess();
  await other.kill();
  assert.ok(readFileSync(file, "utf8").startsWith(`${other.pid} `));
  using lock = takeLock(place, "apply");
  assert.ok(readFileSync(lock.path, "utf8").startsWith(`${process.pid} `));
  assert.deepEqual(readdirSync(folder), [name]);
});

test("takeLock() gives the lock of a dead process to only one of several processes", async () => {
  const dead = await otherProcess();
  await dead.kill();
  const others = await Promise.all(Array.from({ length: 4 }, otherProcess));
  const taken = others.filter(({ said }) => said === "taken");
  assert.equal(taken.length, 1);
  const loser = `held by ${taken[0]?.pid}`;
  assert.equal(others.filter(({ said }) => said === loser).length, 3);
  for (const other of others) await other.kill();
});

test("takeLock() succeeds after another process died during a takeover", async () => {
  const dead = await otherProcess();
  await dead.kill();
  writeFileSync(`${file}.stale`, readFileSync(file));
  takeLock(place, "apply").release();
  assert.deepEqual(readdirSync(folder), []);
});

test("takeLock() knows a holder whose subcommand has two words, and takes its lock over when it is dead", async () => {
  {
    using lock = takeLock(place, "fleet agent");
    assert.ok(lock.path);
    assert.throws(
      () => takeLock(place, "apply"),
      (error) =>
        error instanceof LockHeld && error.holder?.subcommand === "fleet agent",
    );
  }
  const dead = await otherProcess();
  await dead.kill();
  const record = readFileSync(file, "latin1");
  writeFileSync(file, record.replace(/apply\n$/, "fleet agent\n"));
  using lock = takeLock(place, "apply");
  assert.match(readFileSync(lock.path, "utf8"), / apply\n$/);
});

test("takeLock() recognizes a new process with the process ID of a dead one", () => {
  const lock = takeLock(place, "apply");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace(/ [0-9]+ /, " 1 ")); // another start time
  lock.release();
  takeLock(place, "apply").release();
});

test("takeLock() does not take over the lock of another container, nor a file in another format", () => {
  for (const text of ["2 1 pid:[1] apply\n", "2 1 - apply\n", "", "hello"]) {
    writeFileSync(file, text);
    assert.throws(() => takeLock(place, "apply"), LockHeld, text);
    assert.equal(readFileSync(file, "utf8"), text);
  }
});

test("takeLock() throws LockHeld at once if the lock is not a regular file", () => {
  for (const make of [
    () => {
      symlinkSync(join(folder, "nowhere"), file);
    },
    () => {
      symlinkSync("/dev/zero", file);
    },
    () => execFileSync("mkfifo", [file]),
    () => {
      mkdirSync(file);
    },
  ]) {
    make();
    const before = lstatSync(file);
    assert.throws(
      () => takeLock(place, "apply"),
      (error) => error instanceof LockHeld && error.holder === undefined,
    );
    assert.equal(lstatSync(file).ino, before.ino);
    assert.deepEqual(readdirSync(folder), [name]);
    rmSync(file, { recursive: true });
  }
});

test("takeLock() does not write through symbolic links beside the lock", () => {
  const target = join(folder, "target");
  writeFileSync(target, "before");
  symlinkSync(target, `${file}.${process.pid}`);
  takeLock(place, "apply").release();
  assert.equal(readFileSync(target, "utf8"), "before");
});

test("takeLock() removes what dead processes left beside the lock when it takes over", async () => {
  const dead = await otherProcess();
  const living = await otherProcess();
  await dead.kill();
  const stale = readFileSync(file);
  const own = readFileSync("/proc/self/stat", "latin1").split(" ")[21] ?? "";
  const live = stale
    .toString()
    .replace(/^[0-9]+ [0-9]+/, `${process.pid} ${own}`);
  writeFileSync(`${file}.${dead.pid}`, stale);
  writeFileSync(`${file}.abcd1234`, stale);
  writeFileSync(`${file}.live1234`, live);
  writeFileSync(`${file}.not-ours`, stale);
  takeLock(place, "apply").release();
  assert.deepEqual(readdirSync(folder).sort(), [
    `${name}.live1234`,
    `${name}.not-ours`,
  ]);
  await living.kill();
});

test("release() leaves a file alone that is not a lock any more", () => {
  const lock = takeLock(place, "apply");
  rmSync(file);
  execFileSync("mkfifo", [file]);
  lock.release();
  assert.ok(lstatSync(file).isFIFO());
});

test("LockHeld says whether this process can see the holder's end", () => {
  for (const text of ["2 1 pid:[1] apply\n", "2 1 - apply\n"]) {
    writeFileSync(file, text);
    assert.throws(
      () => takeLock(place, "apply"),
      (error) => {
        assert.ok(error instanceof LockHeld);
        assert.equal(error.path, file);
        assert.deepEqual(error.holder, {
          pid: 2,
          subcommand: "apply",
          visible: false,
        });
        return true;
      },
    );
  }
});

test("takeLock() uses one lock per network namespace", () => {
  const procFolder = join(folder, "proc");
  mkdirSync(join(procFolder, "self/ns"), { recursive: true });
  symlinkSync("net:[7]", join(procFolder, "self/ns/net"));
  using here = takeLock(place, "apply");
  using there = takeLock({ runFolder: folder, procFolder }, "apply");
  assert.equal(here.path, file);
  assert.equal(there.path, join(folder, "ipvsadm-7.lock"));
  const blind = { runFolder: folder, procFolder: join(folder, "none") };
  using nowhere = takeLock(blind, "apply");
  assert.equal(nowhere.path, join(folder, "ipvsadm-net.lock"));
});

test("takeLock() throws LockFailed if the folder is missing", () => {
  assert.throws(
    () => takeLock({ ...place, runFolder: join(folder, "none") }, "apply"),
    (error) => error instanceof LockFailed && error.code === "ENOENT",
  );
});

test("takeLock() throws LockFailed if its own /proc/PID/stat cannot be read", () => {
  const procFolder = join(folder, "proc");
  mkdirSync(join(procFolder, String(process.pid), "stat"), { recursive: true });
  assert.throws(
    () => takeLock({ runFolder: folder, procFolder }, "apply"),
    (error) => {
      assert.ok(error instanceof LockFailed);
      assert.equal(error.code, "EISDIR");
      return true;
    },
  );
});

test("release() does not throw if the file cannot be deleted", (t) => {
  const fs = process.getBuiltinModule("node:fs");
  const lock = takeLock(place, "apply");
  t.mock.method(fs, "unlinkSync", () => {
    throw Object.assign(new Error("read-only"), { code: "EROFS" });
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  lock.release();
  assert.deepEqual(readdirSync(folder), [name]);
});

test("takeLock() removes records that dead processes have left, although nobody held the lock", () => {
  const dead = `99999999 1 ${readlinkSync("/proc/self/ns/pid")} apply\n`;
  writeFileSync(`${file}.0123abcd`, dead);
  takeLock(place, "apply").release();
  assert.deepEqual(readdirSync(folder), []);
});

test("takeLock() leaves nothing behind if the disk is full", (t) => {
  const fs = process.getBuiltinModule("node:fs");
  const write = fs.writeFileSync;
  t.mock.method(fs, "writeFileSync", (...given: Parameters<typeof write>) => {
    write(given[0], "");
    throw Object.assign(new Error("full"), { code: "ENOSPC" });
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  assert.throws(() => takeLock(place, "apply"), LockFailed);
  assert.deepEqual(readdirSync(folder), []);
});
