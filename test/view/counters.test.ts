import assert from "node:assert/strict";
import { test } from "node:test";
import { INET, INET6 } from "../../src/ipvs/address.js";
import {
  TCP,
  type ServiceWithServers,
  type Stats,
} from "../../src/ipvs/model.js";
import { ByteBuilder } from "../../src/text/text-builder.js";
import { writeCounters, type CounterStyle } from "../../src/view/counters.js";
import {
  address,
  serverEntry,
  serviceEntry,
  stats,
} from "../fixtures/entries.js";

const WEB = {
  family: INET,
  protocol: TCP,
  address: address("10.0.0.1"),
  port: 80,
} as const;

function lines(service: ServiceWithServers, style: CounterStyle): string[] {
  const out = new ByteBuilder();
  writeCounters(out, service, style);
  return out.take().split(/(?<=\n)/);
}

/** The lines of a service and its server with the same counters. */
function shown(
  format: "stats" | "rate",
  given: Partial<Stats> = {},
  exact = false,
) {
  const server = { ...serverEntry("10.1.1.2", 81), stats: stats(given) };
  const service = {
    ...serviceEntry(WEB, {}, [server]),
    stats: stats(given),
  };
  const style = { format, exact };
  const [first = "", second = ""] = lines(service, style);
  return { service: first, server: second };
}

/** The nine columns of the first counter. */
function counter(count: bigint, exact = false): string {
  const { service } = shown("stats", { connections: count }, exact);
  return service.slice(33, service.length - 1 - 4 * 9);
}

test("writeCounters() writes the counters in columns of nine after the name", () => {
  const { service, server } = shown("stats");
  assert.equal(
    service,
    "TCP  10.0.0.1:80                         0        0        0        0        0\n",
  );
  assert.equal(
    server,
    "  -> 10.1.1.2:81                         0        0        0        0        0\n",
  );
});

test("writeCounters() writes the counters of a firewall mark", () => {
  const service = serviceEntry({ family: INET6, firewallMark: 4 });
  const style = { format: "rate", exact: false } as const;
  assert.deepEqual(lines(service, style), [
    "FWM  4 IPv6                              0        0        0        0        0\n",
  ]);
});

test("writeCounters() moves the counters to the right if the name is too wide", () => {
  const server = serverEntry("2001:db8:1111:2222:3333:4444:5555:6666", 8888);
  const service = serviceEntry(WEB, {}, [server]);
  const style = {
    format: "stats",
    exact: false,
  } as const;
  assert.equal(
    lines(service, style)[1],
    "  -> [2001:db8:1111:2222:3333:4444:5555:6666]:8888        0        0        0        0        0\n",
  );
});

test("writeCounters() writes the counters in order for --stats", () => {
  const { service, server } = shown("stats", {
    connections: 1n,
    inPackets: 2n,
    outPackets: 3n,
    inBytes: 4n,
    outBytes: 5n,
  });
  const numbers = "        1        2        3        4        5\n";
  assert.ok(service.endsWith(numbers));
  assert.ok(server.endsWith(numbers));
});

test("writeCounters() writes the rates in order for --rate", () => {
  const { service, server } = shown("rate", {
    connectionsPerSecond: 1n,
    inPacketsPerSecond: 2n,
    outPacketsPerSecond: 3n,
    inBytesPerSecond: 4n,
    outBytesPerSecond: 5n,
  });
  const numbers = "        1        2        3        4        5\n";
  assert.ok(service.endsWith(numbers));
  assert.ok(server.endsWith(numbers));
});

test("a counter up to 99999999 has all its digits", () => {
  assert.equal(counter(99_999_999n), " 99999999");
});

test("a counter from 100000000 on is in thousands", () => {
  assert.equal(counter(100_000_000n), "  100000K");
  assert.equal(counter(999_999_999n), "  999999K");
});

test("a counter from 10 ** 9 on is in millions", () => {
  assert.equal(counter(1_000_000_000n), "    1000M");
  assert.equal(counter(99_999_999_999n), "   99999M");
});

test("a counter from 10 ** 11 on is in thousands of millions", () => {
  assert.equal(counter(100_000_000_000n), "     100G");
  assert.equal(counter(99_999_999_999_999n), "   99999G");
});

test("a counter from 10 ** 14 on is in millions of millions", () => {
  assert.equal(counter(100_000_000_000_000n), "     100T");
  assert.equal(counter(2n ** 64n - 1n), "18446744T");
});

test("--exact shows all digits of a counter", () => {
  assert.equal(counter(100_000_000n, true), " 100000000");
  assert.equal(counter(2n ** 64n - 1n, true), " 18446744073709551615");
});

test("the first three rates of a server always have all digits", () => {
  const rates = {
    connectionsPerSecond: 1_000_000_000n,
    inPacketsPerSecond: 1_000_000_000n,
    outPacketsPerSecond: 1_000_000_000n,
    inBytesPerSecond: 1_000_000_000n,
    outBytesPerSecond: 1_000_000_000n,
  };
  const { service, server } = shown("rate", rates);
  assert.ok(service.endsWith("    1000M".repeat(5) + "\n"));
  assert.ok(
    server.endsWith(" 1000000000".repeat(3) + "    1000M".repeat(2) + "\n"),
  );
});
