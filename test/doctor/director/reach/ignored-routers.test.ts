import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  answerWays,
  withAnswerWays,
} from "../../../../src/doctor/director/ways/answer-routes.js";
import { traceClient } from "../../../../src/doctor/director/client/trace.js";
import { reach } from "../../../../src/doctor/director/reach/reach.js";
import type { TraceFacts } from "../../../../src/doctor/director/client/trace-step.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import type { Way } from "../../../../src/doctor/network.js";
import { MASQUERADING } from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

/* Clients behind eth1 (2001:db8:2::/64, with the virtual address), masqueraded servers on eth2 (fd00::/64). */
const CLIENT = "2001:db8:1::10";
const SERVICE = serviceAt("2001:db8:2::100", [
  serverEntry("fd00::11", 80, { forwarding: MASQUERADING }),
]);
const WAITING = connectionTable([
  connectionGroup(
    { SYN_RECV: [50, 51, 52] },
    {
      virtual: address("2001:db8:2::100"),
      server: address("fd00::11"),
      clients: [address(CLIENT)],
      openingClients: [address(CLIENT)],
    },
  ),
]);
const IGNORED = {
  "net.ipv6.conf.all.forwarding": 1,
  "net.ipv6.conf.eth1.forwarding": 1,
  "net.ipv6.conf.eth1.accept_ra": 1,
  "net.ipv6.conf.eth2.forwarding": 1,
  "net.ipv6.conf.eth2.accept_ra": 1,
};
const TEXT =
  "eth1 forwards and has accept_ra 1, so the kernel ignores router advertisements there";
const FIX = "sysctl -w net.ipv6.conf.eth1.accept_ra=2";
const BY_HAND = "ip -6 route add default via ROUTER";

function around(none: Readonly<Record<string, Way>>) {
  return network(
    [
      route("2001:db8:2::100", "local", 1),
      ...("fd00::11" in none ? [] : [route("fd00::11", "unicast", 2)]),
    ],
    {
      devices: [device(1), device(2)],
      addresses: [
        ownAddress(1, "2001:db8:2::5/64"),
        ownAddress(1, "2001:db8:2::100/128"),
        ownAddress(2, "fd00::1/64"),
      ],
    },
    none,
  );
}

function facts(
  none: Readonly<Record<string, Way>>,
  settings: Readonly<Record<string, number>>,
): Facts {
  return {
    table: [SERVICE],
    allServices: [SERVICE],
    daemons: [],
    network: around(none),
    stations: { nextHops: new Map(), strangers: [] },
    connections: WAITING,
    sysctls: sysctls(settings),
    firewall: { tables: [], unread: [] },
  };
}

const NO_WAY = { [CLIENT]: "no route", "2001:2::8": "no route" } as const;

suite("ignoredRouters()", () => {
  async function unroutable(
    settings: Readonly<Record<string, number>>,
    none: Readonly<Record<string, Way>> = NO_WAY,
  ) {
    const given = facts(none, settings);
    const failed = await withAnswerWays(
      {
        routeTo: () => Promise.resolve("no route"),
        rules: () => Promise.resolve([]),
        routes: () => Promise.resolve([]),
      },
      around(none),
      [SERVICE],
      WAITING,
    );
    return answerWays.examine({ ...given, network: failed });
  }

  test("answers-unroutable names the interface to clients that ignores router advertisements", async () => {
    const [finding, ...others] = await unroutable(IGNORED);
    assert.deepEqual(others, []);
    assert.ok(finding);
    assert.deepEqual(finding.evidence, [TEXT]);
    assert.deepEqual(told(finding), [
      "answers-unroutable tcp/[2001:db8:2::100]:80",
      FIX,
    ]);
    assert.match(
      finding.fix[0]?.effect ?? "",
      /^this machine takes routers, and addresses, from announcements on eth1, .*'ip -6 route add default via ROUTER'$/,
    );
  });

  test("answers-unroutable prints only the route if router advertisements are not ignored", async () => {
    for (const settings of [
      { ...IGNORED, "net.ipv6.conf.eth1.accept_ra": 0 },
      { ...IGNORED, "net.ipv6.conf.eth1.accept_ra": 2 },
      { ...IGNORED, "net.ipv6.conf.eth1.forwarding": 0 },
      { ...IGNORED, "net.ipv6.conf.eth1.accept_ra_defrtr": 0 },
    ])
      assert.deepEqual(
        (await unroutable(settings)).map(({ evidence, fix }) => [
          evidence,
          fix.map(({ command }) => command),
        ]),
        [[[], [BY_HAND]]],
      );
  });

  test("answers-unroutable does not speak of announcements if there is a default route", async () => {
    const [finding] = await unroutable(IGNORED, {
      ...NO_WAY,
      "2001:2::8": route("2001:2::8", "unicast", 1, "2001:db8:2::1"),
    });
    assert.deepEqual(finding?.evidence, []);
    assert.deepEqual(finding.fix, []);
  });

  test("server-unroutable names the interface if no route leads to the server", () => {
    const far = { ...NO_WAY, "fd00::11": "no route" } as const;
    const find = (settings: Readonly<Record<string, number>>) => {
      const { table, network, ...rest } = facts(far, settings);
      assert.ok(network);
      const addresses = network.addresses.filter(({ device }) => device === 1);
      return reach
        .examine({ ...rest, table, network: { ...network, addresses } })
        .map(told);
    };
    const subject =
      "server-unroutable [fd00::11]:80 of tcp/[2001:db8:2::100]:80";
    assert.deepEqual(find(IGNORED), [[subject, FIX]]);
    assert.deepEqual(find({ ...IGNORED, "net.ipv6.conf.eth1.accept_ra": 0 }), [
      [subject, "sysctl -w net.ipv6.conf.eth2.accept_ra=2"],
    ]);
    assert.deepEqual(
      find({
        ...IGNORED,
        "net.ipv6.conf.eth1.accept_ra": 0,
        "net.ipv6.conf.eth2.accept_ra": 0,
      }),
      // It is the only server of the service, so it stays.
      [[subject]],
    );
  });

  test("traceClient() names the interface where it stops at the route", () => {
    const stop = (settings: Readonly<Record<string, number>>) =>
      traceClient(facts(NO_WAY, settings) as TraceFacts, {
        client: address(CLIENT),
        seconds: 5,
        connections: [],
        after: [SERVICE],
        heard: [],
      }).stopsAt?.text;
    assert.equal(
      stop(IGNORED),
      `there is no route to ${CLIENT}: ${TEXT} ("${FIX}" changes that)`,
    );
    assert.equal(
      stop({ ...IGNORED, "net.ipv6.conf.eth1.accept_ra": 0 }),
      `there is no route to ${CLIENT}`,
    );
  });
});
