import assert from "node:assert/strict";
import { test } from "node:test";
import {
  readCounters,
  worstFailures,
} from "../../src/doctor/failing-connections.js";
import { TCP, UDP, type ServiceWithServers } from "../../src/ipvs/model.js";
import { INET } from "../../src/ipvs/address.js";
import {
  address,
  addressKey,
  serviceEntry,
  stats,
} from "../fixtures/entries.js";
import { connectionGroup, connectionTable } from "./made-up-connections.js";

const TIMEOUTS = { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 };

/** A service that the kernel has counted so many connections for. */
function counted(
  service: ServiceWithServers,
  connections: bigint,
): ServiceWithServers {
  return { ...service, stats: stats({ connections }) };
}

const WEB = serviceEntry(addressKey(TCP, "192.0.2.1", 80));
const MAIL = serviceEntry(addressKey(TCP, "192.0.2.2", 25));
const DNS = serviceEntry(addressKey(UDP, "192.0.2.1", 53));
const MARKED = serviceEntry({ family: INET, firewallMark: 7 });

/** Many waiting connections, by the seconds until they expire. */
const waiting = (seconds: number, count: number) =>
  connectionGroup({ SYN_RECV: Array<number>(count).fill(seconds) });

function worst(
  before: readonly ServiceWithServers[],
  after: readonly ServiceWithServers[],
  groups: readonly ReturnType<typeof connectionGroup>[],
  seconds = 10,
) {
  return worstFailures(
    after,
    connectionTable(groups),
    TIMEOUTS,
    readCounters(before, 100),
    readCounters(after, 100 + seconds),
  );
}

test("worstFailures() divides waiting connections by those that the kernel has counted", () => {
  assert.deepEqual(
    worst([counted(WEB, 1000n)], [counted(WEB, 1040n)], [waiting(55, 10)]),
    { service: "tcp/192.0.2.1:80", opened: 40, failing: 10 },
  );
});

test("worstFailures() names the service with the largest share", () => {
  const mail = connectionGroup(
    { SYN_RECV: [55, 55, 55, 55, 55, 55] },
    { virtual: address("192.0.2.2"), virtualPort: 25 },
  );
  assert.deepEqual(
    worst(
      [counted(WEB, 0n), counted(MAIL, 0n)],
      [counted(WEB, 1000n), counted(MAIL, 12n)],
      [waiting(55, 10), mail],
    ),
    { service: "tcp/192.0.2.2:25", opened: 12, failing: 6 },
  );
});

test("worstFailures() leaves out handshakes that are going on, and those before the reading", () => {
  const groups = [
    waiting(60, 3), // Its last packet came just now.
    waiting(59, 3),
    waiting(49, 3), // 11 seconds old
    connectionGroup({ ESTABLISHED: [900, 900], FIN_WAIT: [100] }),
  ];
  assert.deepEqual(worst([counted(WEB, 0n)], [counted(WEB, 20n)], groups), {
    service: "tcp/192.0.2.1:80",
    opened: 20,
    failing: 0,
  });
});

test("worstFailures() does not judge services with few new connections, and no UDP", () => {
  assert.equal(
    worst(
      [counted(WEB, 0n), counted(DNS, 0n)],
      [counted(WEB, 9n), counted(DNS, 900n)],
      [waiting(55, 9)],
    ),
    undefined,
  );
});

test("worstFailures() adds up services by firewall mark, whose connections have other addresses", () => {
  const marked = connectionGroup(
    { SYN_RECV: [55, 55] },
    { virtual: address("192.0.2.9") },
  );
  assert.deepEqual(
    worst([counted(MARKED, 5n)], [counted(MARKED, 25n)], [marked]),
    { service: "services by firewall mark", opened: 20, failing: 2 },
  );
});

test("worstFailures() works after counters were zeroed, and for a new service", () => {
  assert.deepEqual(
    worst([counted(WEB, 1000n)], [counted(WEB, 10n)], [waiting(55, 20)]),
    { service: "tcp/192.0.2.1:80", opened: 10, failing: 10 },
  );
  assert.deepEqual(worst([], [counted(WEB, 10n)], []), {
    service: "tcp/192.0.2.1:80",
    opened: 10,
    failing: 0,
  });
});
