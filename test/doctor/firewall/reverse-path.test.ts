import assert from "node:assert/strict";
import { test } from "node:test";
import { parseIptablesSave } from "../../../src/doctor/firewall/iptables-save.js";
import { parseNftJson } from "../../../src/doctor/firewall/nft-json.js";
import type { Packet } from "../../../src/doctor/firewall/packet.js";
import type { Table } from "../../../src/doctor/firewall/ruleset.js";
import { walk } from "../../../src/doctor/firewall/walk.js";
import { INET, INET6 } from "../../../src/ipvs/address.js";

const PACKET: Packet = {
  family: INET,
  incoming: "tunl0",
  mark: 0,
  reversePath: { type: "unicast", devices: ["eth0"] },
};

/** What becomes of a packet: `drop`, `perhaps`, or `pass`. */
function fate(tables: readonly Table[], given: Partial<Packet>): string {
  const [stop] = walk({ tables }, "prerouting", { ...PACKET, ...given }).stops;
  if (!stop) return "pass";
  return stop.certain ? "drop" : "perhaps";
}

function iptables(options: string, given: Partial<Packet> = {}): string {
  const save = `*raw\n:PREROUTING ACCEPT [0:0]\n[4:240] -A PREROUTING -m rpfilter ${options} -j DROP\nCOMMIT\n`;
  return fate(parseIptablesSave(save, INET, "iptables"), given);
}

test("rpfilter --invert drops packets whose answers would leave by another interface", () => {
  assert.equal(iptables("--invert"), "drop");
  assert.equal(iptables("--invert", { incoming: "eth0" }), "pass");
  assert.equal(iptables("--invert", { incoming: "lo" }), "pass");
  assert.equal(iptables("--invert", { incoming: undefined }), "perhaps");
  assert.equal(iptables("--invert", { reversePath: undefined }), "perhaps");
  const two = { type: "unicast", devices: ["eth0", "tunl0"] } as const;
  assert.equal(iptables("--invert", { reversePath: two }), "pass");
});

test("rpfilter of IPv6 prefers a route by the interface by which a packet comes in", () => {
  const save = `*raw\n:PREROUTING ACCEPT [0:0]\n[4:240] -A PREROUTING -m rpfilter --invert -j DROP\nCOMMIT\n`;
  const tables = parseIptablesSave(save, INET6, "ip6tables");
  const met = (...others: string[]) =>
    fate(tables, {
      family: INET6,
      reversePath: { type: "unicast", devices: ["eth0"], others },
    });
  assert.equal(met(), "drop");
  assert.equal(met("eth1"), "drop");
  assert.equal(met("eth0", "tunl0"), "perhaps");
  const IPV4 = { type: "unicast", devices: ["eth0"] } as const;
  assert.equal(
    iptables("--invert", { reversePath: { ...IPV4, others: ["tunl0"] } }),
    "drop",
  );
});

test("rpfilter without --invert drops the packets whose answers go back", () => {
  assert.equal(iptables(""), "pass");
  assert.equal(iptables("", { incoming: "eth0" }), "drop");
});

test("rpfilter --loose only drops packets without a way back", () => {
  assert.equal(iptables("--loose --invert"), "pass");
  const none = { reversePath: { type: "none", devices: [] } } as const;
  assert.equal(iptables("--loose --invert", none), "drop");
  assert.equal(iptables("--invert", { ...none, incoming: "eth0" }), "drop");
});

test("rpfilter --accept-local lets packets from this machine's own addresses pass", () => {
  const local = {
    reversePath: { type: "local", devices: ["lo"] },
  } as const;
  assert.equal(iptables("--loose --invert", local), "drop");
  assert.equal(iptables("--loose --accept-local --invert", local), "pass");
});

test("rpfilter --validmark looks up the route with the mark, which doctor knows only for 0", () => {
  assert.equal(iptables("--validmark --invert"), "drop");
  assert.equal(iptables("--validmark --invert", { mark: 7 }), "perhaps");
  assert.equal(iptables("--invert", { mark: 7 }), "drop");
});

function nft(
  flags: readonly string[],
  right: boolean | number,
  given: Partial<Packet> = {},
  { op = "==", result = "oif" } = {},
): string {
  const chain = { family: "inet", table: "firewalld", name: "filter" };
  const base = {
    type: "filter",
    hook: "prerouting",
    prio: 10,
    policy: "accept",
  };
  const left = { fib: { result, flags } };
  const { tables } = parseNftJson(
    JSON.stringify({
      nftables: [
        { table: { family: "inet", name: "firewalld" } },
        { chain: { ...chain, ...base } },
        {
          rule: {
            ...{ family: "inet", table: "firewalld", chain: "filter" },
            expr: [{ match: { op, left, right } }, { drop: null }],
          },
        },
      ],
    }),
  );
  return fate(tables, given);
}

test("fib saddr . iif oif of nft is missing if answers would leave by another interface", () => {
  for (const missing of [false, 0]) {
    assert.equal(nft(["saddr", "iif"], missing), "drop");
    assert.equal(nft(["saddr", "iif"], missing, { incoming: "eth0" }), "pass");
    assert.equal(nft(["saddr", "mark", "iif"], missing), "drop");
    assert.equal(nft(["saddr"], missing), "pass", "loose");
  }
  assert.equal(nft(["saddr", "mark", "iif"], false, { mark: 1 }), "perhaps");
  assert.equal(nft(["saddr", "iif"], true, { incoming: "eth0" }), "drop");
  assert.equal(nft(["saddr", "iif"], true), "pass");
  assert.equal(nft(["saddr", "iif"], false, {}, { op: "!=" }), "pass");
  const check = { result: "check" };
  assert.equal(nft(["saddr", "iif"], false, {}, check), "drop");
  assert.equal(nft(["daddr", "iif"], false), "perhaps");
  assert.equal(nft(["saddr", "iif"], 3), "perhaps");
});
