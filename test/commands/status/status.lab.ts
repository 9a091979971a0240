import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { sh } from "../../lab/namespaces.js";
import { ours } from "../../lab/program.js";

const CONNTRACK = "/proc/sys/net/ipv4/vs/conntrack";

suite("status on a kernel", () => {
  before(async () => {
    await ours(["-C"]); // loads the module
  });
  after(async () => {
    await ours(["-C"]);
  });

  test("status reports that all sysctls are at their defaults", async () => {
    const { stdout, stderr, status } = await ours(["status"]);
    assert.match(stdout, /^Sysctls {6}all at their defaults$/m);
    assert.equal(stderr, "");
    assert.equal(status, 0);
  });

  test("status shows a changed sysctl with its default", async () => {
    writeFileSync(CONNTRACK, "1");
    try {
      const { stdout } = await ours(["status", "--color", "never"]);
      assert.match(stdout, /^ {2}net\.ipv4\.vs\.conntrack +1 +0$/m);
    } finally {
      writeFileSync(CONNTRACK, "0");
    }
  });

  test("status shows the table, the timeouts and a sync daemon", async () => {
    sh(
      "ip link add sync0 type dummy; ip addr add 198.51.100.1/24 dev sync0; ip link set sync0 up multicast on",
    );
    try {
      await ours("-A -t 192.0.2.1:80 -s wrr".split(" "));
      await ours("-a -t 192.0.2.1:80 -r 192.0.2.10 -m".split(" "));
      await ours("--set 600 60 30".split(" "));
      await ours(
        "--start-daemon master --mcast-interface sync0 --syncid 3".split(" "),
      );
      const { stdout, status } = await ours("status -o json".split(" "));
      assert.equal(status, 0);
      const report = JSON.parse(stdout) as {
        kernel: string;
        module: { state: string };
        ipvs: {
          version: string;
          timeouts: object;
          daemons: { role: string; interface: string; syncId: number }[];
          totals: { services: number; servers: number };
        };
      };
      assert.equal(report.kernel, sh("uname -r").trim());
      assert.match(report.module.state, /^(loaded|built in)$/);
      assert.match(report.ipvs.version, /^1\.2\.\d+$/);
      assert.deepEqual(report.ipvs.timeouts, {
        tcpSeconds: 600,
        tcpFinSeconds: 60,
        udpSeconds: 30,
      });
      assert.deepEqual(
        report.ipvs.daemons.map(({ role, interface: name, syncId }) => [
          role,
          name,
          syncId,
        ]),
        [["master", "sync0", 3]],
      );
      assert.deepEqual(
        [report.ipvs.totals.services, report.ipvs.totals.servers],
        [1, 1],
      );
    } finally {
      await ours("--stop-daemon master".split(" "));
      await ours("--set 900 120 300".split(" "));
      sh("ip link del sync0");
    }
  });

  test("status without CAP_NET_ADMIN shows what it can, and returns 3", () => {
    const output = sh(
      "setpriv --bounding-set=-all --inh-caps=-all --reuid 65534 --clear-groups node dist/bin/ipvsadm.cjs status 2>&1 || echo status $?",
    );
    assert.match(output, /^Kernel/m);
    assert.match(output, /^Privileges {3}.*cannot read and change the table/m);
    assert.match(
      output,
      /^ipvsadm: cannot reach IPVS in the kernel: Operation not permitted: run it as root/m,
    );
    assert.match(output, /^status 3$/m);
  });

  test("status does not load the module", async (t) => {
    if (process.env["LAB_KERNEL"] !== "uml") {
      t.skip("only a throw-away guest may unload its module");
      return;
    }
    await ours(["-C"]);
    sh(
      "for module in $(sed -n 's/^\\(ip_vs_[a-z_]*\\) .*/\\1/p' /proc/modules) ip_vs; do modprobe -r $module; done",
    );
    const { stdout, status } = await ours(["status"]);
    assert.match(stdout, /^Module {7}ip_vs is not loaded$/m);
    assert.equal(status, 3);
    assert.equal(sh("grep -c '^ip_vs ' /proc/modules || true").trim(), "0");
  });
});
