import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
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

  function service(subcommand: string, text: string) {
    writeFileSync(settings, `RULES=${rules}\nIFACE=lo\n${text}`);
    return bash(
      folder,
      `${resolve("packaging/ipvsadm-service")} ${subcommand}`,
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
    assert.match(stderr, /line 4: illegal virtual server address/);
    assert.notEqual(status, 0);
    assert.equal(await saved(), "-A -f 5 -s wlc\n");
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
