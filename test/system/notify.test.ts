import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { notifySystemd } from "../../src/system/notify.js";
import { eventually } from "../lab/eventually.js";

test("notifySystemd() calls systemd-notify with the process, and only under systemd", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ipvsadm-notify."));
  const written = join(folder, "written");
  const program = join(folder, "systemd-notify");
  writeFileSync(
    program,
    `#!/bin/sh\necho "$@" >${written}.new\nmv ${written}.new ${written}\n`,
  );
  chmodSync(program, 0o755);
  const { PATH, NOTIFY_SOCKET } = process.env;
  process.env["PATH"] = `${folder}:${PATH ?? ""}`;
  try {
    delete process.env["NOTIFY_SOCKET"];
    notifySystemd(["READY=1"]);
    process.env["NOTIFY_SOCKET"] = "/run/systemd/notify";
    notifySystemd(["WATCHDOG=1", "STATUS=ok, revision 3"]);
    await eventually(
      () => Promise.resolve(existsSync(written)),
      (exists) => exists,
    );
    assert.equal(
      readFileSync(written, "utf8"),
      `--pid=${process.pid} WATCHDOG=1 STATUS=ok, revision 3\n`,
    );
  } finally {
    process.env["PATH"] = PATH;
    if (NOTIFY_SOCKET === undefined) delete process.env["NOTIFY_SOCKET"];
    else process.env["NOTIFY_SOCKET"] = NOTIFY_SOCKET;
    rmSync(folder, { recursive: true });
  }
});
