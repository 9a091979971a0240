import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { systemClock } from "../../src/system/clock.js";
import { ServiceManager } from "../../src/system/notify.js";

const [NOTIFY, PYTHON] = ["/usr/bin/systemd-notify", "/usr/bin/python3"];

/** Prints each datagram on one line. Node.js has no Unix datagram sockets. */
const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(s.recv(4096).decode().replace("\\n", " "), flush=True)
`;

function managerWith(environment: Readonly<Record<string, string>>) {
  return new ServiceManager({
    clock: systemClock,
    environment: (name) => environment[name],
  });
}

test(
  "ServiceManager tells systemd READY, WATCHDOG while the program is alive, STATUS, and STOPPING",
  { skip: !existsSync(NOTIFY) || !existsSync(PYTHON) },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "ipvsadm-notify-"));
    const socket = join(folder, "socket");
    const receiver = spawn(PYTHON, ["-c", RECEIVER, socket], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface(receiver.stdout)[Symbol.asyncIterator]();
    t.after(() => {
      receiver.kill();
      rmSync(folder, { recursive: true });
    });
    // systemd-notify also asks systemd for a sign that it has read everything.
    const next = async () => {
      let line = "BARRIER=1";
      while (line === "BARRIER=1") line = (await lines.next()).value as string;
      return line;
    };
    assert.equal(await next(), "bound");
    const manager = managerWith({
      NOTIFY_SOCKET: socket,
      WATCHDOG_USEC: "600000",
    });
    let alive = true;
    assert.equal(await manager.ready(() => alive), undefined);
    assert.equal(await next(), `READY=1 MAINPID=${process.pid}`);
    assert.equal(await next(), "WATCHDOG=1");
    alive = false;
    const nextOther = async () => {
      let line = await next();
      while (line === "WATCHDOG=1") line = await next(); // It was on its way.
      return line;
    };
    manager.status("ok, revision 3");
    assert.equal(await nextOther(), "STATUS=ok, revision 3");
    manager.stopping();
    assert.equal(await nextOther(), "STOPPING=1");
  },
);

test("ServiceManager does nothing without NOTIFY_SOCKET", async () => {
  const manager = managerWith({});
  assert.equal(await manager.ready(() => true), undefined);
  manager.status("ok");
  manager.stopping();
});

test(
  "ServiceManager says why systemd cannot be told",
  { skip: !existsSync(NOTIFY) },
  async () => {
    const manager = managerWith({ NOTIFY_SOCKET: "/nonexistent/socket" });
    const fault = await manager.ready(() => true);
    assert.match(fault ?? "", /^cannot notify systemd: systemd-notify: /);
    manager.close();
  },
);
