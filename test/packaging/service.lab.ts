import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, suite, test } from "node:test";
import { bash, installPrograms } from "../lab/installed.js";
import { sh } from "../lab/namespaces.js";
import { ours } from "../lab/program.js";

const RULES =
  "# rules\n-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.1.1.1:80 -m -w 1\n";

suite("ipvsadm-service, for systemd", () => {
  const folder = installPrograms();
  const settings = join(mkdtempSync(join(tmpdir(), "service.")), "settings");
  const rules = `${settings}.rules`;

  afterEach(async () => {
    for (const words of [
      ["-C"],
      ["--stop-daemon", "master"],
      ["--stop-daemon", "backup"],
    ])
      await ours(words);
  });

  function service(subcommand: string, text: string, before = "") {
    writeFileSync(settings, `RULES=${rules}\nIFACE=lo\n${text}`);
    return bash(
      folder,
      `${before} ${resolve("packaging/ipvsadm-service")} ${subcommand}`,
      "",
      {
        IPVSADM_SETTINGS: settings,
      },
    );
  }

  async function saved(): Promise<string> {
    return (await ours(["-Sn"])).stdout;
  }

  test("start loads the rules and stop clears the table", async () => {
    writeFileSync(rules, RULES);
    assert.deepEqual(service("start", "AUTO=true"), {
      stdout: "",
      stderr: "",
      status: 0,
    });
    assert.equal(`# rules\n${await saved()}`, RULES);
    assert.equal(service("stop", "AUTO=true").status, 0);
    assert.equal(await saved(), "");
    assert.equal(readFileSync(rules, "latin1"), RULES);
  });

  test("stop saves the table if configured", async () => {
    writeFileSync(rules, RULES);
    service("start", "AUTO=true");
    await ours(["-A", "-f", "5"]);
    assert.equal(service("stop", "AUTO=true\nSAVE_AT_STOP=true").status, 0);
    assert.match(
      readFileSync(rules, "latin1"),
      /-A -t 10\.0\.0\.1:80[^]*-A -f 5/,
    );
  });

  const SAVING = "AUTO=true\nSAVE_AT_STOP=true";

  /** Runs a command with the capabilities of the unit alone. */
  function withCapabilitiesOfUnit(): string {
    const unit = readFileSync("packaging/ipvsadm.service", "utf8");
    const [, set = ""] = /^CapabilityBoundingSet=(.+)$/m.exec(unit) ?? [];
    const names = set
      .split(" ")
      .map((name) => `+${name.replace("CAP_", "").toLowerCase()}`);
    return `setpriv --bounding-set=-all,${names.join(",")}`;
  }

  test("stop keeps owner and mode of the rules, and a new file is for root alone", async () => {
    writeFileSync(rules, RULES);
    chmodSync(rules, 0o640);
    chownSync(rules, 7, 8);
    await ours(["-A", "-f", "5"]);
    const { stderr } = service("stop", SAVING, withCapabilitiesOfUnit());
    assert.equal(stderr, "");
    const { mode, uid, gid } = statSync(rules);
    assert.deepEqual([mode & 0o7777, uid, gid], [0o640, 7, 8]);
    assert.match(readFileSync(rules, "latin1"), /-A -f 5/);
    rmSync(rules);
    await ours(["-A", "-f", "6"]);
    assert.equal(service("stop", SAVING).status, 0);
    const made = statSync(rules);
    assert.deepEqual([made.mode & 0o7777, made.uid, made.gid], [0o600, 0, 0]);
    assert.match(readFileSync(rules, "latin1"), /-A -f 6/);
    assert.ok(!existsSync(`${rules}.new`));
  });

  test("stop keeps a link to the rules, and replaces what a failed save left", async () => {
    const target = `${rules}.target`;
    writeFileSync(target, RULES, { mode: 0o604 });
    chmodSync(target, 0o604);
    writeFileSync(`${target}.new`, "rest\n", { mode: 0o666 });
    rmSync(rules, { force: true });
    symlinkSync(target, rules);
    try {
      await ours(["-A", "-f", "5"]);
      assert.equal(service("stop", SAVING).status, 0);
      assert.ok(lstatSync(rules).isSymbolicLink());
      assert.equal(statSync(target).mode & 0o7777, 0o604);
      assert.match(readFileSync(target, "latin1"), /-A -f 5/);
    } finally {
      rmSync(rules);
    }
  });

  test("a full disk destroys neither the saved rules nor the table", async () => {
    const disk = mkdtempSync(join(tmpdir(), "disk."));
    sh(`mount -t tmpfs -o size=8k tmpfs ${disk}`);
    try {
      writeFileSync(join(disk, "rules"), RULES);
      const services = Array.from(
        { length: 300 },
        (_, i) => `-A -t 10.3.${i >> 8}.${i & 255}:80\n`,
      );
      await ours(["-R"], services.join(""));
      const { stderr, status } = service(
        "stop",
        `AUTO=true\nSAVE_AT_STOP=true\nRULES=${disk}/rules`,
      );
      assert.match(stderr, /cannot write the rules: ENOSPC/);
      assert.equal(status, 1);
      assert.equal(readFileSync(join(disk, "rules"), "latin1"), RULES);
      assert.equal((await saved()).split("\n").length, 301);
    } finally {
      sh(`umount ${disk}`);
    }
  });

  test("the service does not change the table unless configured", async () => {
    writeFileSync(rules, RULES);
    await ours(["-A", "-f", "5"]);
    for (const subcommand of ["start", "reload", "stop"])
      assert.equal(service(subcommand, "AUTO=false").status, 0);
    assert.equal(await saved(), "-A -f 5 -s wlc\n");
  });

  test("start fails for invalid rules and leaves the table unchanged", async () => {
    await ours(["-A", "-f", "5"]);
    writeFileSync(rules, `${RULES}-A -t nonsense\n`);
    const { stderr, status } = service("reload", "AUTO=true");
    assert.match(stderr, /:4:7: error: illegal virtual server address/);
    assert.notEqual(status, 0);
    assert.equal(await saved(), "-A -f 5 -s wlc\n");
  });

  /** Puts a script in place of one of the programs, runs the action, and puts the program back. */
  function withScript<T>(name: string, script: string, action: () => T): T {
    const file = join(folder, name);
    const real = `${file}.real`;
    const exists = name !== "dpkg-query";
    if (exists) renameSync(file, real);
    writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    try {
      return action();
    } finally {
      rmSync(file);
      if (exists) renameSync(real, file);
    }
  }

  /** Like an installation of the light program alone: words are refused with status 3. */
  const WITHOUT_SUBCOMMANDS =
    'case $1 in [a-z]*) echo "ipvsadm: $1 needs the full program" >&2; exit 3 ;; *) exec "$0.real" "$@" ;; esac';

  test("reload changes the table without clearing it", async () => {
    writeFileSync(rules, RULES);
    await ours(["-A", "-t", "10.0.0.1:80", "-s", "rr"]);
    await ours(["-A", "-f", "5"]);
    // Only ipvsadm-restore clears the table.
    const { stderr, status } = withScript("ipvsadm-restore", "exit 9", () =>
      service("reload", "AUTO=true"),
    );
    assert.equal(stderr, "");
    assert.equal(status, 0);
    assert.equal(`# rules\n${await saved()}`, RULES);
  });

  test("reload without the full program says that there is a gap", async () => {
    writeFileSync(rules, RULES);
    await ours(["-A", "-f", "5"]);
    const { stderr, status } = withScript("ipvsadm", WITHOUT_SUBCOMMANDS, () =>
      service("reload", "AUTO=true"),
    );
    assert.match(stderr, /the table is cleared before the rules are loaded/);
    assert.equal(status, 0);
    assert.equal(`# rules\n${await saved()}`, RULES);
  });

  const YAML = `schema: ipvsadm/table/1
timeouts: { tcpSeconds: 800, tcpFinSeconds: 100, udpSeconds: 200 }
services:
  - protocol: tcp
    address: 10.0.0.1
    port: 80
    scheduler: rr
daemons:
  - role: master
    interface: lo
    syncId: 4
`;

  test("start loads a table in YAML with timeouts and sync daemons, and stop saves it", async () => {
    const file = `${settings}.yaml`;
    writeFileSync(file, YAML);
    const text = `AUTO=true\nRULES=${file}\nSAVE_AT_STOP=true`;
    const started = service("start", text);
    assert.equal(started.stderr, "");
    assert.equal(started.status, 0);
    assert.equal(await saved(), "-A -t 10.0.0.1:80 -s rr\n");
    assert.match((await ours(["-L", "--timeout"])).stdout, /800 100 200/);
    assert.match((await ours(["-L", "--daemon"])).stdout, /master.*syncid=4/);
    await ours(["-A", "-f", "5"]);
    assert.equal(service("stop", text).status, 0);
    assert.equal(await saved(), "");
    assert.equal((await ours(["-L", "--daemon"])).stdout, "");
    assert.equal(service("start", text).status, 0);
    assert.match(await saved(), /-A -t 10\.0\.0\.1:80 -s rr\n-A -f 5/);
    assert.match((await ours(["-L", "--daemon"])).stdout, /master.*syncid=4/);
    await ours(["--set", "900", "120", "300"]);
  });

  test("a table in YAML needs the full program", async () => {
    const file = `${settings}.yaml`;
    writeFileSync(file, YAML);
    await ours(["-A", "-f", "5"]);
    const { stderr, status } = withScript("ipvsadm", WITHOUT_SUBCOMMANDS, () =>
      service("start", `AUTO=true\nRULES=${file}`),
    );
    assert.match(stderr, /needs the full program: install ipvsadm-lvs-full/);
    assert.equal(status, 3);
    assert.equal(await saved(), "-A -f 5 -s wlc\n");
  });

  test("without settings it does not use the kernel", () => {
    for (const subcommand of ["load-module", "start", "reload", "stop"]) {
      const { stderr, status } = withScript("ipvsadm", "exit 9", () =>
        service(subcommand, ""),
      );
      assert.deepEqual([stderr, status], ["", 0]);
    }
  });

  test("load-module succeeds with settings, and the module is there", () => {
    assert.deepEqual(service("load-module", "AUTO=true"), {
      stdout: "",
      stderr: "",
      status: 0,
    });
    assert.ok(existsSync("/proc/net/ip_vs"));
  });

  test("start sets the timeouts", async () => {
    assert.equal(service("start", 'TIMEOUTS="700 90 250"').status, 0);
    assert.match((await ours(["-L", "--timeout"])).stdout, /700 90 250/);
    await ours(["--set", "900", "120", "300"]);
  });

  test("reload starts a sync daemon that is missing, with more options", async () => {
    const text = "DAEMON=master\nSYNC_OPTIONS='--mcast-group 224.0.0.82'";
    assert.equal(service("start", text).status, 0);
    assert.equal(service("reload", text).status, 0);
    assert.equal(service("reload", text.replace("master", "both")).status, 0);
    const { stdout } = await ours(["-L", "--daemon"]);
    assert.match(stdout, /master.*group=224\.0\.0\.82/);
    assert.match(stdout, /backup.*group=224\.0\.0\.82/);
  });

  test("nothing changes while dpkg removes or upgrades Debian's package", async () => {
    writeFileSync(rules, RULES);
    await ours(["-A", "-f", "5"]);
    for (const state of ["half-configured", "half-installed", "unpacked"])
      for (const subcommand of ["start", "reload", "stop"]) {
        const { stderr, status } = withScript(
          "dpkg-query",
          `echo "${state} 1:1.31-5"`,
          () => service(subcommand, "AUTO=true"),
        );
        assert.match(stderr, /Debian's package ipvsadm is being changed/);
        assert.equal(status, 0);
      }
    assert.equal(await saved(), "-A -f 5 -s wlc\n");
  });

  const KEEP = "/run/ipvsadm-lvs.keep";

  /** Stops the service while the file of the RPM package has this content and age. @returns what it said */
  function stopWithKeepFile(content: string, minutes: number): string {
    writeFileSync(KEEP, content);
    const time = Date.now() / 1000 - minutes * 60;
    utimesSync(KEEP, time, time);
    try {
      const { stderr, status } = service("stop", "AUTO=true");
      assert.equal(status, 0);
      return stderr;
    } finally {
      rmSync(KEEP);
    }
  }

  test("nothing changes while an RPM package is being replaced", async () => {
    await ours(["-A", "-f", "5"]);
    const spec = readFileSync("packaging/rpm/ipvsadm-lvs.spec", "utf8");
    const [, script = ""] = /^%pre\n([^]*?)\n\n/m.exec(spec) ?? [];
    // This process is to the script what rpm is.
    assert.equal(spawnSync("sh", ["-ec", script, "pre", "2"]).status, 0);
    const content = readFileSync(KEEP, "latin1");
    assert.equal(content, `${process.pid}\n`);
    const said = stopWithKeepFile(content, 300);
    assert.match(said, /a package is being replaced/);
    assert.equal(await saved(), "-A -f 5 -s wlc\n");
  });

  test("what a failed replacement of an RPM package left has no effect", async () => {
    const ended = spawnSync("true").pid;
    for (const [content, minutes] of [
      [`${ended}\n`, 0],
      ["", 0],
      ["nonsense\n", 0],
      [`${process.pid}\n`, 361],
    ] as const) {
      await ours(["-A", "-f", "5"]);
      assert.equal(stopWithKeepFile(content, minutes), "", content);
      assert.equal(await saved(), "", content);
    }
  });

  test("the service works while Debian's package is only installed, and while ours is configured", async () => {
    for (const status of [
      "installed 1:1.31-5",
      "half-configured 1:1.31+lvs9",
    ]) {
      await ours(["-A", "-f", "5"]);
      const stopped = withScript("dpkg-query", `echo "${status}"`, () =>
        service("stop", "AUTO=true"),
      );
      assert.equal(stopped.stderr, "");
      assert.equal(await saved(), "");
    }
  });

  test("start and stop handle the sync daemons", async () => {
    assert.equal(service("start", "DAEMON=both\nSYNCID=3").status, 0);
    const { stdout } = await ours(["-L", "--daemon"]);
    assert.match(stdout, /master sync daemon \(mcast=lo, syncid=3/);
    assert.match(stdout, /backup sync daemon \(mcast=lo, syncid=3/);
    assert.equal(service("stop", "DAEMON=both").status, 0);
    assert.equal((await ours(["-L", "--daemon"])).stdout, "");
  });

  test("start rejects an unknown sync daemon role", () => {
    const { stderr, status } = service("start", "DAEMON=primary");
    assert.match(stderr, /must be none, master, backup or both, not 'primary'/);
    assert.equal(status, 2);
  });
});
