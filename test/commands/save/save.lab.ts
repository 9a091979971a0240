import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, suite, test } from "node:test";
import { IpvsAccess } from "../../../src/runtime/ipvs-access.js";
import { INET, parseAddress } from "../../../src/ipvs/address.js";
import { serverSettings, serviceSettings } from "../../../src/ipvs/defaults.js";
import type { IpvsClient } from "../../../src/ipvs/client.js";
import { PERSISTENT, TCP, type ServiceKey } from "../../../src/ipvs/model.js";
import { nodeIo } from "../../../src/runtime/node-io.js";
import { sh } from "../../lab/namespaces.js";
import { ours } from "../../lab/program.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import {
  clear,
  done,
  Folder,
  kernelOrder,
  run,
  state,
} from "../apply/kernel-table.js";

/** An example of everything that rules can express. */
const RULES = `
-A -t 192.0.2.1:80 -s wrr
-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 65535 -x 2147483647 -y 7
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 0
-a -t 192.0.2.1:80 -r 10.0.0.3:80 -i -w 1 --tun-type ipip
-a -t 192.0.2.1:80 -r 10.0.0.4:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -t 192.0.2.1:80 -r 10.0.0.5:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
-a -t 192.0.2.1:80 -r 10.0.0.6:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 192.0.2.1:80 -r 10.0.0.7:80 -i -w 1 --tun-type gre --tun-csum
-A -u 192.0.2.1:53 -s rr -o
-A -u [2001:db8::1]:5060 -s wlc -p 60 -M 64 --pe sip
-a -u [2001:db8::1]:5060 -r [2001:db8::10]:5060 -g -w 1
-A --sctp-service 192.0.2.1:3868 -s lc
-A -t 192.0.2.1:0 -s wlc -p 300 -M 255.255.255.0
-A -t 192.0.2.2:82 -s sh -b sh-fallback,sh-port,flag-3
-A -t 192.0.2.3:81 -s mh -b mh-fallback,mh-port
-A -t 192.0.2.4:82 -s wlc -b flag-1,flag-2,flag-3
-A -f 4294967295 -6 -s rr -p 31
-a -f 4294967295 -6 -r [2001:db8::2]:0 -g -w 1
--set 800 100 200
--start-daemon master --mcast-interface eth7 --syncid 3 --sync-maxlen 1400 --mcast-group 224.0.0.99 --mcast-port 8849 --mcast-ttl 4
--start-daemon backup --mcast-interface eth7 --syncid 5 --mcast-group ff02::81
`;

/** The table, the sync daemons and the timeouts. */
async function everything() {
  return [
    await state(),
    await ipvsadm("-L --daemon"),
    await ipvsadm("-L --timeout"),
  ];
}

async function withClient(act: (client: IpvsClient) => Promise<void>) {
  using access = new IpvsAccess(nodeIo());
  await act(await access.open());
}

const address = (text: string) => parseAddress(text) ?? assert.fail(text);
const WEB: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};

suite("save and restore on a kernel", () => {
  before(async () => {
    await ipvsadm("-C"); // loads the module
    sh(`ip link add eth7 type dummy
      ip address add 10.7.7.7/24 dev eth7
      ip address add fe80::7/64 dev eth7 nodad
      ip link set eth7 up multicast on`);
  });
  beforeEach(clear);
  after(async () => {
    await clear();
    sh("ip link del eth7");
  });

  for (const format of ["rules", "json", "yaml"])
    test(`restore of a saved ${format} file restores everything`, async () => {
      using folder = new Folder();
      await done("restore", RULES);
      const before = await everything();
      const file = join(folder.path, `table.${format}`);
      assert.equal(await done(`save ${file}`), "");
      assert.equal(
        readFileSync(file, "latin1"),
        await done(`save -o ${format}`),
      );
      await clear();
      await done(`restore ${file}`);
      assert.deepEqual(await everything(), before);
      assert.equal((await run(`diff ${file}`)).status, 0);
      assert.match(await done(`restore ${file}`), /already up to date/);
    });

  test("restore keeps the kernel's order of real servers, which sh depends on", async () => {
    using folder = new Folder();
    const servers = [3, 1, 4, 2].map(
      (last) => `-a -t 192.0.2.1:80 -r 10.0.0.${last}:80 -g -w 1\n`,
    );
    await done("restore", `-A -t 192.0.2.1:80 -s sh\n${servers.join("")}`);
    const before = await kernelOrder();
    assert.match(
      before[0] ?? "",
      / 10\.0\.0\.2:80 10\.0\.0\.4:80 10\.0\.0\.1:80 10\.0\.0\.3:80$/,
    );
    for (const format of ["rules", "json", "yaml"]) {
      const file = join(folder.path, `table.${format}`);
      await done(`save ${file}`);
      await clear();
      await done(`restore ${file}`);
      assert.deepEqual(await kernelOrder(), before, format);
    }
    const rules = await done("save");
    await clear();
    assert.equal((await ours(["-R"], rules)).status, 0);
    assert.deepEqual(await kernelOrder(), before);
  });

  test("-R reads the rules that save writes", async () => {
    await done("restore", RULES);
    const before = await everything();
    const rules = await done("save");
    await clear();
    const { stderr, status } = await ours(["-R"], rules);
    assert.deepEqual([stderr, status], ["", 0]);
    assert.deepEqual(await everything(), before);
  });

  test("save and restore work for an empty table", async () => {
    using folder = new Folder();
    const file = join(folder.path, "none.json");
    await done(`save ${file}`);
    await done("restore", RULES);
    await done(`restore ${file}`);
    assert.equal(await ipvsadm("-Sn"), "");
    assert.equal(await ipvsadm("-L --daemon"), "");
    assert.match(await ipvsadm("-L --timeout"), /900 120 300/);
  });

  test("save reports what rules cannot express, and does not write the file", async () => {
    using folder = new Folder();
    await withClient(async (client) => {
      await client.addService(WEB, serviceSettings(WEB, { flags: 0x100 }));
      const mark: ServiceKey = { family: INET, firewallMark: 7 };
      await client.addService(
        mark,
        serviceSettings(mark, {
          flags: PERSISTENT,
          timeoutSeconds: 3_000_000,
        }),
      );
      await client.addServer(
        WEB,
        { address: address("10.0.0.2"), port: 81 },
        serverSettings(),
      );
    });
    const before = await everything();
    const told = [
      "ipvsadm: rules cannot express this setting of tcp/192.0.2.1:80: other flags none → 0x100",
      "ipvsadm: rules cannot express this setting of 10.0.0.2:81 of tcp/192.0.2.1:80: port 80 → 81",
      "ipvsadm: rules cannot express this setting of fwm/7: invalid timeout value `3000000' specified",
      "ipvsadm: 'ipvsadm save -o json' saves all settings",
    ].join("\n");
    const shown = await run("save");
    assert.equal(shown.status, 1);
    assert.equal(shown.stderr, `${told}\n`);
    const file = join(folder.path, "table");
    writeFileSync(file, "before");
    const written = await run(`save ${file}`);
    assert.equal(written.status, 1);
    assert.ok(written.stderr.startsWith(told));
    assert.equal(readFileSync(file, "utf8"), "before");
    for (const format of ["json", "yaml"]) {
      await done(`save -o ${format} ${file}`);
      await clear();
      await done(`restore ${file}`);
      assert.deepEqual(await everything(), before);
    }
  });

  test("save warns of lost settings without effect, and writes the file", async () => {
    using folder = new Folder();
    await withClient(async (client) => {
      await client.addService(
        WEB,
        serviceSettings(WEB, {
          timeoutSeconds: 7,
          netmask: address("255.255.255.0"),
        }),
      );
      await client.addServer(
        WEB,
        { address: address("10.0.0.1"), port: 80 },
        serverSettings({ tunnel: { type: 1, port: 7, flags: 1 } }),
      );
    });
    const file = join(folder.path, "table");
    const { stderr, status } = await run(`save ${file}`);
    assert.equal(status, 0);
    assert.equal(
      stderr,
      `ipvsadm: warning: rules cannot express this setting of tcp/192.0.2.1:80: persistence timeout 7 without persistence, a netmask without persistence: it has no effect
ipvsadm: warning: rules cannot express this setting of 10.0.0.1:80 of tcp/192.0.2.1:80: a tunnel without tunneling: it has no effect
ipvsadm: 'ipvsadm save -o json' saves all settings
`,
    );
    assert.equal((await run(`diff ${file}`)).status, 0);
  });

  test("save reports a file that cannot be written", async () => {
    const { stdout, stderr, status } = await run("save /nonexistent/table");
    assert.deepEqual([stdout, status], ["", 1]);
    assert.equal(
      stderr,
      "ipvsadm: cannot write /nonexistent/table: No such file or directory\n",
    );
    assert.ok(!existsSync("/nonexistent"));
  });
});
