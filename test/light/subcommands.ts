import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { LIGHT, run } from "./programs.js";

const NOBODY = 65534;
const REMEDY =
  /^ipvsadm: list needs the full program: install ipvsadm-full .*\n$/;

suite("a subcommand given to the light program", () => {
  const folder = mkdtempSync("/var/tmp/light.");
  chmodSync(folder, 0o755);
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const light = join(folder, "ipvsadm");
  copyFileSync(LIGHT, light);

  /** A program that prints how it was called. */
  function makeFull(path: string): void {
    writeFileSync(path, '#!/bin/sh\nprintf "%s|" "${0##*/}" "$@"\nexit 7\n');
    chmodSync(path, 0o755);
  }

  test("without a full program gets one line that says what to install, and status 3", () => {
    const { stdout, stderr, status } = run([light, "list"]);
    assert.match(stderr, REMEDY);
    assert.deepEqual([stdout, status], ["", 3]);
  });

  test("without a full program is answered as by the original if it is not similar to a subcommand", () => {
    const alone = run([light, "xyz"]);
    assert.match(alone.stderr, /^Try `.*\/ipvsadm -h' or /);
    assert.notEqual(alone.status, 3);
    const before = run([light, "foo", "-Z"]);
    assert.match(before.stderr, /^unexpected argument foo\n/);
    assert.notEqual(before.status, 3);
    assert.match(run([light, "lsit"]).stderr, /^ipvsadm: lsit needs the full/);
  });

  test("does not run a full program of the current folder, or of PATH", () => {
    const place = mkdtempSync(join(tmpdir(), "place."));
    makeFull(join(place, "ipvsadm-full"));
    const { stderr, status } = run([light, "list"], {
      cwd: place,
      env: { PATH: `.:${place}:${process.env["PATH"] ?? ""}` },
    });
    assert.match(stderr, REMEDY);
    assert.equal(status, 3);
  });

  test("runs the full program beside it with the same words, also by a link", () => {
    makeFull(join(folder, "ipvsadm-full"));
    const links = join(folder, "links");
    mkdirSync(links);
    symlinkSync(light, join(links, "ipvsadm"));
    for (const program of [light, join(links, "ipvsadm")]) {
      const { stdout, status } = run([program, "list", "a b", "-\xff"]);
      assert.equal(
        Buffer.from(stdout, "latin1").toString(),
        "ipvsadm-full|list|a b|-\xff|",
      );
      assert.equal(status, 7);
    }
  });

  test("runs the launcher for Node.js where there is no ipvsadm-full", () => {
    rmSync(join(folder, "ipvsadm-full"), { force: true });
    makeFull(join(folder, "ipvsadm-node.cjs"));
    assert.equal(run([light, "list"]).stdout, "ipvsadm-node.cjs|list|");
    rmSync(join(folder, "ipvsadm-node.cjs"));
  });

  test(
    "runs nothing of its own folder when its file gives it rights",
    { skip: process.getuid?.() !== 0 && "makes a file with setuid" },
    () => {
      // Its user could have put a hard link there.
      const place = join(folder, "foreign");
      mkdirSync(place);
      chmodSync(light, 0o4755);
      linkSync(light, join(place, "ipvsadm"));
      makeFull(join(place, "ipvsadm-full"));
      makeFull(join(place, "ipvsadm-node.cjs"));
      const words = [join(place, "ipvsadm"), "list"];
      const { stdout, stderr, status } = run(words, { uid: NOBODY });
      assert.match(stderr, REMEDY);
      assert.deepEqual([stdout, status], ["", 3]);
      chmodSync(light, 0o755);
      assert.equal(run(words, { uid: NOBODY }).status, 7);
    },
  );
});
