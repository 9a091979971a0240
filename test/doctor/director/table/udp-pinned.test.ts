import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ConnectionGroup } from "../../../../src/doctor/connections.js";
import {
  hasEnoughDatagrams,
  needsLaterDatagrams,
} from "../../../../src/doctor/director/reach/pinned-datagrams.js";
import { udpPinned } from "../../../../src/doctor/director/table/udp-pinned.js";
import { oneEntryText } from "../../../../src/doctor/director/client/one-entry.js";
import type { TraceFacts } from "../../../../src/doctor/director/client/trace-step.js";
import {
  MASQUERADING,
  ONE_PACKET,
  PERSISTENT,
  UDP,
  type ServerSettings,
  type ServiceSettings,
  type ServiceWithServers,
} from "../../../../src/ipvs/model.js";
import {
  address,
  addressKey,
  serverEntry,
  serviceEntry,
  stats,
} from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";

const FIRST = "10.0.0.11";
const SECOND = "10.0.0.12";
const CLIENT = "198.51.100.10";
const TIMEOUTS = { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 };

/** A SIP service with two servers, which have got so many datagrams in one connection. */
function sip(
  settings: Partial<ServiceSettings> = {},
  counts: readonly [bigint, bigint] = [40n, 0n],
  server: Partial<ServerSettings> = {},
): ServiceWithServers {
  const servers = [FIRST, SECOND].map((text, i) => ({
    ...serverEntry(text, 5060, server),
    stats: stats({
      inPackets: counts[i] ?? 0n,
      connections: counts[i] ? 1n : 0n,
    }),
  }));
  const key = addressKey(UDP, "192.0.2.1", 5060);
  return serviceEntry(key, { scheduler: "rr", ...settings }, servers);
}

/** Entries with a server, by the seconds until each expires. */
function entries(
  server: string,
  seconds: readonly number[],
  clients: readonly string[] = [CLIENT],
): ConnectionGroup {
  return connectionGroup(
    { UDP: seconds },
    {
      protocol: "UDP",
      virtualPort: 5060,
      server: address(server),
      serverPort: 5060,
      clients: clients.map(address),
    },
  );
}

function factsOf(
  service: ServiceWithServers,
  groups: readonly ConnectionGroup[] = [entries(FIRST, [299])],
  later?: readonly [bigint, bigint],
) {
  return {
    table: [service],
    connections: connectionTable(groups),
    timeouts: TIMEOUTS,
    later: later && { servers: countersAt(later), seconds: 4.2 },
  };
}

function countersAt([first, second]: readonly [bigint, bigint]) {
  const of = "of udp/192.0.2.1:5060";
  return new Map([
    [`${FIRST}:5060 ${of}`, stats({ inPackets: first })],
    [`${SECOND}:5060 ${of}`, stats({ inPackets: second })],
  ]);
}

const find = (...given: Parameters<typeof factsOf>) =>
  udpPinned.examine(factsOf(...given));

suite("udpPinned", () => {
  test("udpPinned finds one client port that binds all datagrams since the servers were added", () => {
    const [finding, ...others] = find(sip());
    assert.deepEqual(others, []);
    assert.equal(finding?.subject, "udp/192.0.2.1:5060");
    assert.equal(finding.certainty, "likely");
    assert.equal(
      finding.seen,
      "40 of 40 datagrams since its servers were added went to 10.0.0.11:5060; the connection table has 1 entry of the service, of client 198.51.100.10",
    );
    assert.deepEqual(
      finding.fix.map(({ command }) => command),
      ["ipvsadm -E -u 192.0.2.1:5060 -s rr -o"],
    );
    assert.match(
      finding.fix[0]?.effect ?? "",
      /stays until 300 s pass without/,
    );
  });

  test("udpPinned counts between two readings if the other server has had datagrams before", () => {
    const before = sip({}, [300n, 200n]);
    assert.deepEqual(find(before), []);
    assert.match(
      find(before, undefined, [309n, 200n])[0]?.seen ?? "",
      /^9 of 9 datagrams in 4 s went to 10\.0\.0\.11:5060; /,
    );
    assert.deepEqual(find(before, undefined, [304n, 200n]), [], "too few");
    assert.deepEqual(find(before, undefined, [306n, 203n]), [], "both");
  });

  test("udpPinned chooses a scheduler that does not need entries, and keeps the other settings", () => {
    for (const [scheduler, other] of [
      ["lc", "rr"],
      ["wlc", "wrr"],
      ["sed", "wrr"],
    ]) {
      const [fix] = find(sip({ scheduler: scheduler ?? "" }))[0]?.fix ?? [];
      const line = `ipvsadm -E -u 192.0.2.1:5060 -s ${other ?? ""} -o`;
      assert.equal(fix?.command, line);
      assert.match(fix.effect ?? "", /^the scheduler becomes /);
    }
  });

  test("udpPinned prints no command for masqueraded servers", () => {
    const masqueraded = sip({}, undefined, { forwarding: MASQUERADING });
    const [finding] = find(masqueraded);
    assert.deepEqual(finding?.fix, []);
    assert.match(finding.cure ?? "", /\(-o\) cannot be used here/);
  });

  test("udpPinned reports no service that binds clients on purpose, or spreads datagrams", () => {
    assert.deepEqual(find(sip({ flags: ONE_PACKET })), []);
    assert.deepEqual(find(sip({ flags: PERSISTENT })), []);
    for (const scheduler of ["sh", "dh", "mh", "lblc", "fo", "ovf"])
      assert.deepEqual(find(sip({ scheduler })), [], scheduler);
  });

  test("udpPinned reports no busy client of many, and no server that gets everything by its weight", () => {
    const many = entries(FIRST, [299], [CLIENT, "198.51.100.11"]);
    assert.deepEqual(find(sip(), [many]), []);
    assert.deepEqual(find(sip(), [entries(FIRST, [299, 2, 3, 4])]), []);
    const other = entries(SECOND, [200], ["198.51.100.11"]);
    assert.deepEqual(find(sip(), [entries(FIRST, [299]), other]), []);
    assert.deepEqual(find(sip(), []), [], "no entry");
    const { servers, ...rest } = sip();
    const [first, second] = servers;
    assert.ok(first && second);
    const weighted = (weight: number) => ({
      ...rest,
      servers: [
        { ...first, settings: { ...first.settings, weight: 99 } },
        { ...second, settings: { ...second.settings, weight } },
      ],
    });
    assert.deepEqual(find(weighted(1)), []);
    assert.deepEqual(find(weighted(0)), [], "it is drained");
    assert.equal(find(weighted(99)).length, 1);
  });
});

test("needsLaterDatagrams() asks for a second reading only while datagrams come", () => {
  const needs = (service: ServiceWithServers, seconds: number) =>
    needsLaterDatagrams(service, factsOf(service, [entries(FIRST, [seconds])]));
  const used = sip({}, [300n, 200n]);
  assert.equal(needs(used, 298), true);
  assert.equal(needs(used, 200), false, "the client is silent");
  assert.equal(needs(sip(), 298), false, "the first reading tells");
  assert.equal(needs(sip({ flags: ONE_PACKET }, [300n, 200n]), 298), false);
  assert.equal(hasEnoughDatagrams(used, countersAt([304n, 200n])), false);
  assert.equal(hasEnoughDatagrams(used, countersAt([304n, 201n])), true);
  assert.equal(hasEnoughDatagrams(used, new Map()), false);
});

test("oneEntryText() says why one server gets all datagrams of a client port", () => {
  const tell = (
    later: readonly [bigint, bigint],
    ports = [5060],
    service = sip(),
  ) => {
    const [server] = service.servers;
    assert.ok(server);
    return oneEntryText(
      ports.map((clientPort) => ({
        connection: {
          protocol: "UDP",
          client: address(CLIENT),
          clientPort,
          virtual: address("192.0.2.1"),
          virtualPort: 5060,
          server: address(FIRST),
          serverPort: 5060,
          state: "UDP",
          expiresSeconds: 299,
        },
        use: "used",
        stateSeconds: 5,
      })),
      service,
      server,
      { timeouts: TIMEOUTS } as TraceFacts,
      {
        client: address(CLIENT),
        seconds: 10,
        connections: [],
        heard: [],
        after: [sip(service.settings, later)],
      },
    );
  };
  assert.equal(
    tell([50n, 0n]),
    "all datagrams from client port 5060 are one entry, and go to this server; it expires 300 s after its last datagram. The service's other servers got nothing meanwhile. One-packet scheduling (-o) schedules each datagram by itself, which is wrong if servers must remember earlier ones",
  );
  assert.equal(tell([50n, 1n]), undefined, "another server got a datagram");
  assert.equal(tell([41n, 0n]), undefined, "one datagram");
  assert.equal(tell([50n, 0n], [5060, 5062]), undefined, "two ports");
  assert.equal(tell([50n, 0n], [5060], sip({ flags: ONE_PACKET })), undefined);
  const masqueraded = sip({}, undefined, { forwarding: MASQUERADING });
  assert.doesNotMatch(tell([50n, 0n], [5060], masqueraded) ?? "-o", /-o/);
});
