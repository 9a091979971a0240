import assert from "node:assert/strict";
import { test } from "node:test";
import {
  waitUntilDrained,
  type DrainingServer,
  type DrainOptions,
} from "../../src/ipvs/drain.js";
import {
  formatService,
  SCTP,
  TCP,
  UDP,
  type ServerEntry,
  type ServiceKey,
} from "../../src/ipvs/model.js";
import { address, serverEntry } from "../fixtures/entries.js";

const WEB: ServiceKey = {
  family: 2,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};
const NAMES: ServiceKey = { ...WEB, protocol: UDP, port: 53 };
const PHONES: ServiceKey = { ...WEB, protocol: SCTP, port: 2905 };
const MARK: ServiceKey = { family: 2, firewallMark: 7 };

type Counts = readonly [active: number, inactive: number, persistent: number];

function server(
  text: string,
  [activeConnections, inactiveConnections, persistentConnections]: Counts,
  weight = 0,
): ServerEntry {
  const counts = {
    activeConnections,
    inactiveConnections,
    persistentConnections,
  };
  return { ...serverEntry(text, 80, { weight }), ...counts };
}

/** A table that differs at each reading, by service. The last reading repeats. */
class Tables {
  readonly asked: string[][] = [];
  readonly tables: readonly Readonly<Record<string, ServerEntry[]>>[];

  constructor(...tables: Readonly<Record<string, ServerEntry[]>>[]) {
    this.tables = tables;
  }

  serversOf(keys: readonly ServiceKey[]) {
    const names = keys.map(formatService);
    this.asked.push(names);
    const now =
      this.tables[Math.min(this.asked.length, this.tables.length) - 1];
    return Promise.resolve(names.map((name) => now?.[name] ?? []));
  }
}

/** A clock that advances only in sleep(). */
class Time {
  milliseconds = 5000;
  slept: number[] = [];
  now = () => this.milliseconds;
  sleep = (milliseconds: number) => {
    this.slept.push(milliseconds);
    this.milliseconds += milliseconds;
    return Promise.resolve();
  };
}

async function waited(
  tables: Tables,
  servers: readonly DrainingServer[],
  options: Partial<DrainOptions> = {},
) {
  const time = new Time();
  const { end, servers: states } = await waitUntilDrained(tables, servers, {
    pollSeconds: 1,
    signal: new AbortController().signal,
    clock: time,
    ...options,
  });
  return {
    end,
    states: states.map(({ state }) => state),
    slept: time.slept,
    entries: states.map(({ entry }) => entry),
  };
}

const one = (service: ServiceKey, text = "198.51.100.10"): DrainingServer => ({
  service,
  server: { address: address(text), port: 80 },
});
const web = (counts: Counts, weight = 0) => ({
  "TCP 192.0.2.1:80": [server("198.51.100.10", counts, weight)],
});

test("waitUntilDrained() returns when a server is empty in two readings in a row", async () => {
  const tables = new Tables(
    web([2, 0, 0]),
    web([0, 1, 0]), // the opening connection
    web([1, 0, 0]),
    web([0, 1, 0]),
    web([0, 2, 0]),
    web([9, 9, 9]),
  );
  const { end, states, slept, entries } = await waited(tables, [one(WEB)]);
  assert.deepEqual([end, states], ["settled", ["empty"]]);
  assert.equal(tables.asked.length, 5);
  assert.deepEqual(slept, [1000, 1000, 1000, 1000]);
  assert.equal(entries[0]?.inactiveConnections, 2);
});

test("waitUntilDrained() waits for persistence templates", async () => {
  const tables = new Tables(web([0, 0, 3]), web([0, 0, 3]), web([0, 0, 0]));
  assert.equal((await waited(tables, [one(WEB)])).end, "settled");
  assert.equal(tables.asked.length, 4);
});

for (const [service, waits] of [
  [WEB, false],
  [PHONES, false],
  [NAMES, true],
  [MARK, true],
] as const)
  test(`waitUntilDrained() ${waits ? "waits" : "does not wait"} for inactive connections of ${formatService(service)}`, async () => {
    const tables = new Tables({
      [formatService(service)]: [server("198.51.100.10", [0, 4, 0])],
    });
    const { end } = await waited(tables, [one(service)], { timeoutSeconds: 5 });
    assert.equal(end, waits ? "timeout" : "settled");
  });

test("waitUntilDrained() does not wait for a server that is absent or has a weight again", async () => {
  const tables = new Tables({ ...web([5, 0, 0], 3) });
  const { end, states, entries, slept } = await waited(tables, [
    one(WEB),
    one(WEB, "198.51.100.11"),
    one(MARK),
  ]);
  assert.deepEqual(end, "settled");
  assert.deepEqual(states, ["undrained", "absent", "absent"]);
  assert.deepEqual(slept, []);
  assert.equal(entries[1], undefined);
});

test("waitUntilDrained() waits for several servers and reads each service once per reading", async () => {
  const other = server("198.51.100.11", [0, 0, 0]);
  const tables = new Tables(
    { "TCP 192.0.2.1:80": [server("198.51.100.10", [1, 0, 0]), other] },
    { "TCP 192.0.2.1:80": [server("198.51.100.10", [0, 0, 0]), other] },
    {
      // A persistent client comes back to the first server while the second is read.
      "TCP 192.0.2.1:80": [
        server("198.51.100.10", [0, 0, 0]),
        server("198.51.100.11", [1, 0, 0]),
      ],
    },
    { "TCP 192.0.2.1:80": [server("198.51.100.10", [0, 0, 0]), other] },
  );
  const reported: string[] = [];
  const { end, states } = await waited(
    tables,
    [one(WEB), one(WEB, "198.51.100.11")],
    {
      report(servers, seconds) {
        const words = servers.map(({ state }) => state);
        reported.push(`${seconds}s ${words.join(" ")}`);
      },
    },
  );
  assert.deepEqual([end, states], ["settled", ["empty", "empty"]]);
  assert.deepEqual(tables.asked[0], ["TCP 192.0.2.1:80"]);
  assert.deepEqual(reported, [
    "0s busy busy",
    "1s busy empty",
    "2s empty busy",
    "3s empty busy",
    "4s empty empty",
  ]);
});

test("waitUntilDrained() stops when the timeout is over", async () => {
  const tables = new Tables(web([1, 0, 0]));
  const { end, states, slept } = await waited(tables, [one(WEB)], {
    timeoutSeconds: 2.5,
  });
  assert.deepEqual([end, states], ["timeout", ["busy"]]);
  assert.deepEqual(slept, [1000, 1000, 500]);
});

test("waitUntilDrained() finds an empty server with timeout 0", async () => {
  const tables = new Tables(web([0, 0, 0]));
  const { end } = await waited(tables, [one(WEB)], { timeoutSeconds: 0 });
  assert.equal(end, "settled");
  const busy = new Tables(web([1, 0, 0]));
  const outcome = await waited(busy, [one(WEB)], { timeoutSeconds: 0 });
  assert.equal(outcome.end, "timeout");
});

test("waitUntilDrained() returns the current states when the signal is aborted", async () => {
  const abort = new AbortController();
  const tables = new Tables(web([3, 0, 0]), web([2, 0, 0]));
  const { end, states, entries } = await waited(tables, [one(WEB)], {
    signal: abort.signal,
    clock: {
      now: () => 0,
      sleep: (_, signal) => {
        abort.abort();
        assert.ok(signal.aborted);
        return Promise.resolve();
      },
    },
  });
  assert.deepEqual([end, states], ["aborted", ["busy"]]);
  assert.equal(entries[0]?.activeConnections, 2);
});

test("waitUntilDrained() returns at once for an empty list", async () => {
  const { end, states } = await waited(new Tables({}), []);
  assert.deepEqual([end, states], ["settled", []]);
});
