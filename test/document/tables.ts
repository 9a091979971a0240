import fc from "fast-check";
import { INET, INET6 } from "../../src/ipvs/address.js";
import {
  BACKUP,
  MASTER,
  SCTP,
  TCP,
  UDP,
  type Daemon,
  type ServiceKey,
  type ServiceSettings,
} from "../../src/ipvs/model.js";
import type { ServerRule, ServiceRule, Table } from "../../src/ipvs/table.js";

/* Random tables with any settings that the kernel can hold, sensible or not. */

const whole = (min: number, max: number) => fc.integer({ min, max });
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { noNullPrototype: true });
const u8 = whole(0, 0xff);
const u16 = whole(0, 0xffff);
const u32 = fc.oneof(whole(0, 1000), whole(0, 0xffffffff));

const bytes = (length: number) =>
  fc.oneof(
    fc.uint8Array({ minLength: length, maxLength: length }),
    fc.array(fc.constantFrom(0, 255), { minLength: length, maxLength: length }),
  );
const address = (family: typeof INET | typeof INET6) =>
  bytes(family === INET ? 4 : 16).map((bytes) => Uint8Array.from(bytes));
const family = fc.constantFrom(INET, INET6);
const anyAddress = family.chain(address);

const key: fc.Arbitrary<ServiceKey> = family.chain((family) =>
  fc.oneof(
    whole(1, 0xffffffff).map((firewallMark) => ({ family, firewallMark })),
    record({
      family: fc.constant(family),
      protocol: fc.constantFrom(TCP, UDP, SCTP),
      address: address(family),
      port: u16,
    }),
  ),
);

/** Names of schedulers and engines, including unknown ones. */
const name = (longest: number) =>
  fc.oneof(
    fc.constantFrom(
      "rr",
      "sh",
      "mh",
      "sip",
      "no",
      "null",
      "1e3",
      "E0",
      "0x10",
      "~",
    ),
    fc
      .string({ unit: "grapheme-ascii", minLength: 1, maxLength: longest })
      .filter((text) => !/\s/.test(text)),
  );

const settings = (key: ServiceKey): fc.Arbitrary<ServiceSettings> => {
  const every = key.family === INET6 ? 128 : Uint8Array.of(255, 255, 255, 255);
  const mask = key.family === INET6 ? whole(1, 128) : address(INET);
  return record({
    scheduler: name(15),
    // All flags except the kernel's own.
    flags: fc.oneof(whole(0, 0x3f), u32).map((flags) => (flags & ~0x02) >>> 0),
    timeoutSeconds: fc.oneof(fc.constant(0), u32),
    netmask: fc.oneof(fc.constant(every), mask),
    engine: fc.option(name(16), { nil: undefined }),
  }).map(({ engine, ...rest }) => ({
    ...rest,
    ...(engine !== undefined && { persistenceEngine: engine }),
  }));
};

const server: fc.Arbitrary<ServerRule> = record({
  key: record({ address: anyAddress, port: u16 }),
  settings: record({
    forwarding: whole(0, 7),
    weight: whole(0, 0x7fffffff),
    tunnel: fc.oneof(
      fc.constant({ type: 0, port: 0, flags: 0 }),
      record({
        type: fc.oneof(whole(0, 3), u8),
        port: u16,
        flags: fc.oneof(whole(0, 3), u16),
      }),
    ),
    upperThreshold: u32,
    lowerThreshold: u32,
  }),
});

const service: fc.Arbitrary<ServiceRule> = key.chain((key) =>
  record({
    key: fc.constant(key),
    settings: settings(key),
    servers: fc.array(server, { maxLength: 3 }),
  }),
);

const daemon: fc.Arbitrary<Daemon> = fc.record(
  {
    state: fc.constantFrom(MASTER, BACKUP),
    // The limit counts bytes: é has two.
    multicastInterface: fc.constantFrom("eth0", "bond0.7", "\xc3\xa9th0", "no"),
    syncId: u8,
    maximumLength: u16,
    multicastGroup: anyAddress,
    multicastPort: u16,
    multicastTtl: u8,
  },
  {
    noNullPrototype: true,
    requiredKeys: ["state", "multicastInterface", "syncId"],
  },
);

export const tables: fc.Arbitrary<Table> = fc.record(
  {
    services: fc.array(service, { maxLength: 3 }),
    timeouts: record({ tcpSeconds: u32, tcpFinSeconds: u32, udpSeconds: u32 }),
    daemons: fc.array(daemon, { maxLength: 2 }),
  },
  { noNullPrototype: true, requiredKeys: ["services"] },
);
