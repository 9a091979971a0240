import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { IpvsAccess } from "../../../src/runtime/ipvs-access.js";
import { HASHED, type ServiceWithServers } from "../../../src/ipvs/model.js";
import { parseJson } from "../../../src/document/parse-json.js";
import { parseYaml } from "../../../src/document/parse-yaml.js";
import { readTable } from "../../../src/document/read-table.js";
import type { ServiceRule } from "../../../src/ipvs/table.js";
import { nodeIo } from "../../../src/runtime/node-io.js";
import { sortServers, sortServices } from "../../../src/view/order.js";
import { invalidities } from "../../document/schema.js";
import { eventually } from "../../lab/eventually.js";
import { ours } from "../../lab/program.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { ONE_NETWORK } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";

/** One of everything that can be configured. */
const RULES = `
-A -t 192.0.2.1:80 -s wrr
-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 2147483647 -x 2147483647 -y 7
-a -t 192.0.2.1:80 -r 10.0.0.2:80 -g -w 0
-a -t 192.0.2.1:80 -r 10.0.0.3:80 -i -w 1 --tun-type ipip
-a -t 192.0.2.1:80 -r 10.0.0.4:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -t 192.0.2.1:80 -r 10.0.0.5:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum
-a -t 192.0.2.1:80 -r 10.0.0.6:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 192.0.2.1:80 -r 10.0.0.7:80 -i -w 1 --tun-type gre --tun-csum
-a -t 192.0.2.1:80 -r [2001:db8::7]:80 -i -w 1 --tun-type gre --tun-nocsum
-A -u 192.0.2.1:53 -s rr -o
-A -u [2001:db8::1]:5060 -s wlc -p 60 -M 64 --pe sip
-a -u [2001:db8::1]:5060 -r [2001:db8::10]:5060 -g -w 1
-A --sctp-service 192.0.2.1:3868 -s lc
-A -t 192.0.2.1:0 -s wlc -p 300 -M 255.255.255.0
-A -t 192.0.2.2:80 -s sh -b sh-fallback
-A -t 192.0.2.2:81 -s sh -b sh-port
-A -t 192.0.2.2:82 -s sh -b sh-fallback,sh-port
-A -t 192.0.2.3:80 -s mh -b mh-fallback
-A -t 192.0.2.3:81 -s mh -b mh-fallback,mh-port
-A -t 192.0.2.4:80 -s wlc -b flag-1
-A -t 192.0.2.4:81 -s wlc -b flag-2
-A -t 192.0.2.4:82 -s wlc -b flag-1,flag-2,flag-3
-A -t 192.0.2.4:83 -s sh -b flag-3
-A -f 7 -s rr
-a -f 7 -r 10.0.0.1:0 -g -w 1
-A -f 4294967295 -6 -s rr -p 31
-a -f 4294967295 -6 -r [2001:db8::2]:0 -g -w 1
`;

/** Reads the kernel's table. */
async function kernelTable(): Promise<ServiceWithServers[]> {
  using access = new IpvsAccess(nodeIo());
  const client = await access.open();
  return await client.table();
}

/** The part of a table that can be configured, sorted. */
function settable(table: readonly ServiceWithServers[]): ServiceRule[] {
  return sortServices(table).map(({ key, settings, servers }) => ({
    key,
    settings: { ...settings, flags: settings.flags & ~HASHED },
    servers: sortServers(servers).map(({ key, settings }) => ({
      key,
      settings,
    })),
  }));
}

/** Runs `list`. @returns its output as Unicode */
async function listed(line: string): Promise<string> {
  const { stdout, stderr, status } = await ours(["list", ...line.split(" ")]);
  assert.deepEqual([stderr, status], ["", 0], line);
  return Buffer.from(stdout, "latin1").toString();
}

suite("list on a kernel", () => {
  after(() => ipvsadm("-C"));

  test("JSON and YAML contain the kernel's table", async () => {
    await balance(RULES);
    const expected = { services: settable(await kernelTable()) };
    assert.equal(expected.services.length, 16);
    const json = await listed("-o json");
    assert.deepEqual(readTable(parseJson(json)).table, expected);
    assert.deepEqual(invalidities(JSON.parse(json)), []);
    const yaml = await listed("-o yaml");
    assert.deepEqual(readTable(parseYaml(yaml)).table, expected);
  });

  test("rules are those of the classic -S, and restore the same table", async () => {
    await balance(
      RULES.replace(/^.*(?:4294967295 -6|sh -b flag-3).*$\n/gm, ""),
    );
    const rules = await listed("-o rules");
    assert.equal(rules, await ipvsadm("-Sn"));
    const before = settable(await kernelTable());
    await ipvsadm("-C");
    const { status } = await ours(["-R"], rules);
    assert.equal(status, 0);
    assert.deepEqual(settable(await kernelTable()), before);
  });

  test("an unknown service is an error of one line with a suggestion", async () => {
    await balance("-A -t 192.0.2.1:80 -s rr");
    const { stdout, stderr, status } = await ours(["list", "tcp/192.0.2.1:81"]);
    assert.equal(stdout, "");
    assert.equal(
      stderr,
      "ipvsadm: there is no service tcp/192.0.2.1:81: did you mean tcp/192.0.2.1:80?\n",
    );
    assert.equal(status, 1);
  });
});

suite("list under traffic", () => {
  const site = siteOf(ONE_NETWORK, {
    real1: { http: [8001] },
    real2: { http: [8001] },
  });
  const URL = "http://203.0.113.100:8001/";

  test("list reports a server at its threshold as overloaded, and one with weight 0 as draining", async () => {
    await balance(`
      -A -t 203.0.113.100:8001 -s rr
      -a -t 203.0.113.100:8001 -r 203.0.113.11 -g -x 2
      -a -t 203.0.113.100:8001 -r 203.0.113.12 -g`);
    const states = async () =>
      (await listed("-o csv --columns name,state"))
        .split("\n")
        .slice(1, -1)
        .map((line) => line.split(",").at(-1));
    assert.deepEqual(await states(), ["ok", "ok", "ok"]);
    const held = [];
    for (let i = 0; i < 6; i++) held.push(await site.client.hold(URL));
    assert.deepEqual(await states(), ["ok", "overloaded", "ok"]);
    await ipvsadm("-e -t 203.0.113.100:8001 -r 203.0.113.12 -g -w 0");
    assert.deepEqual(await states(), [
      "all-overloaded",
      "overloaded",
      "draining",
    ]);
    // The kernel agrees: it refuses the next connection.
    assert.deepEqual(await site.client.get(URL), [{ failure: "ECONNREFUSED" }]);
    assert.match(
      await listed("--state draining --columns name,state,active"),
      /^ {2}203\.0\.113\.12:8001 +draining +4$/m,
    );
    for (const one of held) await one.close();
  });

  test("list reports the counters of the classic listing", async () => {
    await balance(`
      -A -t 203.0.113.100:8001 -s rr
      -a -t 203.0.113.100:8001 -r 203.0.113.11 -g
      -a -t 203.0.113.100:8001 -r 203.0.113.12 -g`);
    await site.client.get(URL, { count: 10 });
    // There is no more traffic, so two listings in a row are equal.
    const counters = async () => {
      const csv = await listed(
        "-o csv --columns total,packets-in,packets-out,in,out",
      );
      return csv
        .split("\n")
        .slice(1, -1)
        .map((line) => line.split(","));
    };
    const classic = async () =>
      (await ipvsadm("-Ln --stats --exact"))
        .split("\n")
        .slice(3, -1)
        .map((line) => line.trim().split(/ +/).slice(-5));
    const [ours, original] = await eventually(
      async () => [await counters(), await classic()] as const,
      ([ours, original]) =>
        ours[0]?.[0] === "10" &&
        JSON.stringify(ours) === JSON.stringify(original),
    );
    assert.deepEqual(ours, original);
    assert.equal(ours[0]?.[0], "10");
    assert.equal(ours.length, 3);
    const { totals } = JSON.parse(await listed("-o json")) as {
      totals: { connections: number; servers: number };
    };
    assert.equal(totals.connections, 10);
    assert.equal(totals.servers, 2);
  });
});
