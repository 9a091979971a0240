import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, beforeEach, suite, test } from "node:test";
import { INET } from "../../../src/ipvs/address.js";
import { MASQUERADING, TCP } from "../../../src/ipvs/model.js";
import { address, serverEntry, serviceEntry } from "../../fixtures/entries.js";
import { kernelWith } from "../../fixtures/table-kernel.js";
import { subcommand } from "../run-subcommand.js";

const server = (number: number) =>
  `  real_server 10.0.0.${number} 80 {\n    TCP_CHECK {\n    }\n  }\n`;
const configuration = (...numbers: readonly number[]) =>
  `virtual_server 192.0.2.1 80 {\n  protocol TCP\n${numbers.map(server).join("")}}\n`;

const FAILED =
  "in the file, not in the table: keepalived removes a server whose check fails";

/** The table has only the first server. */
const LINK = () =>
  kernelWith([
    serviceEntry(
      { family: INET, protocol: TCP, address: address("192.0.2.1"), port: 80 },
      { scheduler: "wlc" },
      [serverEntry("10.0.0.1", 80, { forwarding: MASQUERADING, weight: 1 })],
    ),
  ]);

suite("diff with keepalived.conf", () => {
  const folder = mkdtempSync(join(tmpdir(), "reload."));
  const proc = join(folder, "proc");
  const file = join(folder, "keepalived.conf");

  beforeEach(() => {
    rmSync(proc, { recursive: true, force: true });
    write("1/stat", "1 (init) S 0 1 1");
    write("stat", "cpu 0\nbtime 1000\n");
    writeFileSync(file, configuration(1, 2));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(proc, path)), { recursive: true });
    writeFileSync(join(proc, path), text);
  }

  /** A keepalived that reads a file, with its child. */
  function keepalived(words: readonly string[], startTicks = 1): void {
    const status = (pid: number, parent: number) =>
      `${pid} (keepalived) S ${parent} ${"0 ".repeat(17)}${startTicks} 0`;
    for (const [pid, parent] of [
      [40, 1],
      [41, 40],
    ] as const) {
      write(`${pid}/comm`, "keepalived\n");
      write(`${pid}/stat`, status(pid, parent));
      write(`${pid}/cmdline`, `${words.join("\0")}\0`);
    }
  }

  /** What it keeps of its configuration. */
  function keeps(text: string): void {
    const kept = "memfd:/keepalived/consolidated_configuration";
    write(kept, text);
    mkdirSync(join(proc, "40/fd"), { recursive: true });
    symlinkSync(join(proc, kept), join(proc, "40/fd/7"));
  }

  const diff = (options = "") =>
    subcommand(`diff ${options}${file}`, {
      link: LINK(),
      io: { procFolder: proc },
    });

  test("says that a check fails if keepalived has read the server", async () => {
    keepalived(["/usr/sbin/keepalived", "-f", file]);
    keeps(`# ${file}\n${configuration(1, 2)}!\n`);
    const { stdout, status } = await diff();
    assert.equal(
      stdout,
      `Health checks of keepalived:
  tcp/192.0.2.1:80
    10.0.0.2:80  ${FAILED}
keepalived has read the services of this file as they are now.
${file}: already up to date, except for health checks
`,
    );
    assert.equal(status, 0);
  });

  test("counts a server that keepalived has not read as a difference", async () => {
    writeFileSync(file, configuration(1, 2, 3));
    keepalived(["keepalived", `--use-file=${file}`]);
    keeps(configuration(1, 2));
    const { stdout, status } = await diff();
    assert.equal(
      stdout,
      `Health checks of keepalived:
  tcp/192.0.2.1:80
    10.0.0.2:80  ${FAILED}
keepalived has not read the services of this file as they are now: reload it (systemctl reload keepalived).
  tcp/192.0.2.1:80
+   10.0.0.3:80  masq weight 1
1 real server to add
`,
    );
    assert.equal(status, 4);
    const json = await diff("-o json ");
    const { reload } = JSON.parse(json.stdout) as { reload: unknown };
    assert.equal(reload, "missing");
  });

  test("explains nothing by checks if keepalived does not run", async () => {
    const { stdout, status } = await diff();
    assert.equal(
      stdout,
      `keepalived does not run in this network namespace, so no check explains a difference.
  tcp/192.0.2.1:80
+   10.0.0.2:80  masq weight 1
1 real server to add
`,
    );
    assert.equal(status, 4);
  });

  test("ignores a keepalived of another network namespace", async () => {
    keepalived(["keepalived", "-f", file]);
    for (const [pid, name] of [
      ["self", "net:[1]"],
      ["40", "net:[2]"],
      ["41", "net:[2]"],
    ] as const) {
      mkdirSync(join(proc, pid, "ns"), { recursive: true });
      symlinkSync(name, join(proc, pid, "ns/net"));
    }
    const { stdout } = await diff();
    assert.match(stdout, /^keepalived does not run in this network namespace/);
  });

  test("names the file that keepalived reads if it is another one", async () => {
    keepalived(["/usr/sbin/keepalived", "-n"]);
    const { stdout, status } = await diff();
    assert.match(stdout, /^Probably health checks of keepalived:\n/);
    assert.match(
      stdout,
      /^keepalived \(process 40\) reads \/etc\/keepalived\/keepalived\.conf, not this file\.$/m,
    );
    assert.equal(status, 0);
  });

  test("says how to find out if keepalived keeps no configuration and is older than the file", async () => {
    keepalived(["keepalived", "-f", file]);
    const { stdout, status } = await diff();
    assert.equal(
      stdout,
      `Probably health checks of keepalived:
  tcp/192.0.2.1:80
    10.0.0.2:80  ${FAILED}
  A server that was added to the file after keepalived last read it looks the same.
To find out: 'journalctl -u keepalived' shows reloads and failed checks; 'kill -USR1 40' writes the servers that keepalived knows to /tmp/keepalived.data.
${file}: already up to date, except for health checks
`,
    );
    assert.equal(status, 0);
  });

  test("knows that a keepalived that started after the last change has read the file", async () => {
    const hundredYears = 100 * 365 * 86_400 * 100;
    keepalived(["keepalived", "-f", file], hundredYears);
    // The time of modification can be set back, as cp -p does.
    utimesSync(file, 1, 1);
    const { stdout } = await diff();
    assert.match(stdout, /^Health checks of keepalived:\n/);
    assert.match(stdout, /it started after the last change/);

    // The change time of an included file is not looked at.
    writeFileSync(file, `${configuration(1, 2)}include conf.d/*.conf\n`);
    const { stdout: unknown } = await diff();
    assert.match(unknown, /^Probably health checks of keepalived:\n/);
  });

  test("says how to find out if what keepalived keeps has errors", async () => {
    keepalived(["keepalived", "-f", file]);
    keeps(`${configuration(1, 2)}}`);
    const { stdout } = await diff();
    assert.match(stdout, /^To find out: /m);
  });

  test("claims nothing if processes of others are invisible", async () => {
    rmSync(join(proc, "1"), { recursive: true });
    const { stdout, status } = await diff();
    assert.match(stdout, /'kill -USR1 PID'/);
    assert.equal(status, 0);
  });
});
