import { INET, INET6 } from "../../../src/ipvs/address.js";
import {
  LOCAL_NODE,
  MASQUERADING,
  ONE_PACKET,
  PERSISTENT,
  SCTP,
  TCP,
  TUNNELING,
  UDP,
  type ServerEntry,
  type ServiceWithServers,
  type Stats,
} from "../../../src/ipvs/model.js";
import {
  address,
  addressKey,
  serverEntry,
  serviceEntry,
  stats,
} from "../../fixtures/entries.js";

type Counts = Partial<
  Pick<
    ServerEntry,
    "activeConnections" | "inactiveConnections" | "persistentConnections"
  >
> & { readonly stats?: Stats };

function server(
  text: string,
  port: number,
  settings: Parameters<typeof serverEntry>[2] = {},
  counts: Counts = {},
): ServerEntry {
  return { ...serverEntry(text, port, settings), ...counts };
}

/** A table with one of everything that a listing can show. */
export const SAMPLE: readonly ServiceWithServers[] = [
  {
    ...serviceEntry(
      addressKey(TCP, "192.0.2.1", 80),
      {
        scheduler: "wrr",
        flags: PERSISTENT,
        timeoutSeconds: 300,
        netmask: address("255.255.255.0"),
      },
      [
        server(
          "10.0.0.11",
          8080,
          { forwarding: MASQUERADING, weight: 5 },
          {
            activeConnections: 12_345,
            inactiveConnections: 678,
            persistentConnections: 90,
            stats: stats({
              connections: 2n ** 60n,
              inPackets: 1_234_567n,
              inBytes: 2n ** 53n + 1n,
              outBytes: 999n,
              connectionsPerSecond: 12n,
              inBytesPerSecond: 1_234_567n,
            }),
          },
        ),
        server(
          "10.0.0.12",
          8080,
          { forwarding: MASQUERADING, weight: 0 },
          { activeConnections: 3 },
        ),
        server(
          "10.0.0.13",
          8080,
          {
            forwarding: MASQUERADING,
            weight: 3,
            upperThreshold: 100,
            lowerThreshold: 80,
          },
          { activeConnections: 99, inactiveConnections: 1 },
        ),
        server(
          "10.0.0.14",
          8080,
          { forwarding: MASQUERADING, weight: 1000, upperThreshold: 100 },
          { activeConnections: 75 },
        ),
      ],
    ),
    stats: stats({
      connections: 2n ** 60n + 5n,
      inPackets: 1_234_567n,
      outPackets: 12n,
      inBytes: 2n ** 64n - 1n,
      outBytes: 999n,
      connectionsPerSecond: 12n,
      inPacketsPerSecond: 2_000n,
      inBytesPerSecond: 1_234_567n,
    }),
  },
  serviceEntry(
    addressKey(UDP, "2001:db8:1234:5678:9abc:def0:1234:5678", 53),
    {
      scheduler: "sh",
      flags: ONE_PACKET | PERSISTENT | 0x18,
      timeoutSeconds: 60,
      netmask: 64,
      persistenceEngine: "sip",
    },
    [
      server("2001:db8::53", 53, { forwarding: LOCAL_NODE }),
      server("10.0.0.53", 53, {
        forwarding: TUNNELING,
        tunnel: { type: 1, port: 6080, flags: 1 },
        upperThreshold: 10,
      }),
      server("10.0.0.54", 53, {
        forwarding: TUNNELING,
        tunnel: { type: 2, port: 0, flags: 0 },
      }),
      server("10.0.0.55", 53, { forwarding: TUNNELING }),
    ],
  ),
  serviceEntry(addressKey(SCTP, "192.0.2.3", 3868), {
    scheduler: "wlc",
    flags: 0x38,
  }),
  serviceEntry({ family: INET, firewallMark: 7 }, { scheduler: "rr" }, [
    server("10.0.0.71", 0, { weight: 0 }),
    server("10.0.0.72", 0, { weight: 0 }),
  ]),
  serviceEntry({ family: INET6, firewallMark: 4_294_967_295 }, {}, [
    server("2001:db8::71", 0, { weight: 0 }),
    server(
      "2001:db8::72",
      0,
      { upperThreshold: 1 },
      { inactiveConnections: 2 },
    ),
  ]),
];

/** What needs attention in `manyServices`. */
export const DRAINED = { service: 136, server: 2 };
export const OVERLOADED = { service: 41, server: 0 };
export const SLOWEST = 87;

/** Makes many busy services. One server is drained, one is overloaded, and one service has little traffic. */
export function manyServices(
  count = 200,
  serversEach = 3,
): ServiceWithServers[] {
  return Array.from({ length: count }, (_, i) => {
    const servers = Array.from({ length: serversEach }, (_, n) =>
      oneOfMany(i, n),
    );
    const rate = i === SLOWEST ? 1n : BigInt(40 + ((i * 37) % 500));
    return {
      ...serviceEntry(
        addressKey(TCP, `192.0.${2 + (i >> 8)}.${i & 255}`, 80),
        { scheduler: i % 3 === 0 ? "wrr" : "wlc" },
        servers,
      ),
      stats: stats({
        connections: rate * 86_400n,
        inPackets: rate * 700_000n,
        outPackets: rate * 900_000n,
        inBytes: rate * 50_000_000n,
        outBytes: rate * 900_000_000n,
        connectionsPerSecond: rate,
        inPacketsPerSecond: rate * 8n,
        outPacketsPerSecond: rate * 10n,
        inBytesPerSecond: rate * 600n,
        outBytesPerSecond: rate * 10_000n,
      }),
    };
  });
}

function oneOfMany(service: number, n: number): ServerEntry {
  const is = (place: typeof DRAINED) =>
    place.service === service && place.server === n;
  const rate = BigInt(10 + ((service * 37 + n) % 170));
  return server(
    `10.${service >> 8}.${service & 255}.${10 + n}`,
    8080,
    {
      forwarding: MASQUERADING,
      weight: is(DRAINED) ? 0 : 10,
      upperThreshold: is(OVERLOADED) ? 200 : 2000,
    },
    {
      activeConnections: 200 + ((service * 13 + n * 7) % 300),
      inactiveConnections: (service * 7 + n) % 90,
      stats: stats({
        connections: rate * 86_400n,
        connectionsPerSecond: rate,
        inBytesPerSecond: rate * 600n,
        outBytesPerSecond: rate * 10_000n,
      }),
    },
  );
}
