import fc from "fast-check";
import { INET, INET6 } from "../../src/ipvs/address.js";
import {
  DIRECT_ROUTING,
  MASQUERADING,
  ONE_PACKET,
  PERSISTENT,
  SCTP,
  TCP,
  TUNNELING,
  UDP,
  type ServerKey,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
} from "../../src/ipvs/model.js";

/* Random services that command lines can express. */

const whole = (min: number, max: number) => fc.integer({ min, max });
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(fields, { noNullPrototype: true });
const bytes = (length: number) =>
  fc.oneof(
    fc.uint8Array({ minLength: length, maxLength: length }),
    fc.array(fc.constantFrom(0, 255), { minLength: length, maxLength: length }),
  );
const addressOf = (family: typeof INET | typeof INET6) =>
  bytes(family === INET ? 4 : 16).map((bytes) => Uint8Array.from(bytes));

const family = fc.constantFrom(INET, INET6);
const key: fc.Arbitrary<ServiceKey> = family.chain((family) =>
  fc.oneof(
    // Larger marks are written as negative numbers and do not read back, like in the original.
    whole(1, 0x7fffffff).map((firewallMark) => ({ family, firewallMark })),
    record({
      family: fc.constant(family),
      protocol: fc.constantFrom(TCP, UDP, SCTP),
      address: addressOf(family),
      port: whole(0, 65535),
    }),
  ),
);

/** Random settings that the kernel can hold for a service, without the flag HASHED. */
function settingsOf(key: ServiceKey): fc.Arbitrary<ServiceSettings> {
  const mask = key.family === INET6 ? whole(1, 128) : addressOf(INET);
  const every = key.family === INET6 ? 128 : Uint8Array.of(255, 255, 255, 255);
  const onePacket =
    "firewallMark" in key || key.protocol === UDP ? [0, ONE_PACKET] : [0];
  const needsPersistence = "port" in key && key.port === 0;
  return record({
    scheduler: fc.constantFrom("rr", "wlc", "sh", "mh", "fifteen-letters"),
    schedulerFlags: whole(0, 7),
    onePacket: fc.constantFrom(...onePacket),
    persistent: needsPersistence ? fc.constant(true) : fc.boolean(),
    timeoutSeconds: whole(1, 2678400),
    mask: fc.oneof(fc.constant(every), mask),
    engine: fc.constantFrom(undefined, "sip", "sixteen--letters"),
  }).map((given) => {
    const bits = /^[sm]h$/.test(given.scheduler) ? 0x18 : 0x38;
    return {
      scheduler: given.scheduler,
      ...(given.engine !== undefined && { persistenceEngine: given.engine }),
      flags:
        ((given.schedulerFlags << 3) & bits) |
        given.onePacket |
        (given.persistent ? PERSISTENT : 0),
      timeoutSeconds: given.persistent ? given.timeoutSeconds : 0,
      netmask: given.persistent ? given.mask : every,
    };
  });
}

export interface Server {
  readonly key: ServerKey;
  readonly settings: ServerSettings;
}

const tunnel = fc.oneof(
  fc.constant({ type: 0, port: 0, flags: 0 }),
  record({ type: fc.constant(1), port: whole(1, 65535), flags: whole(0, 2) }),
  record({ type: fc.constant(2), port: fc.constant(0), flags: whole(0, 1) }),
);

function serverOf(service: ServiceKey): fc.Arbitrary<Server> {
  return fc
    .constantFrom(MASQUERADING, TUNNELING, DIRECT_ROUTING)
    .chain((forwarding) => {
      const keepsPort = forwarding !== MASQUERADING && "port" in service;
      return record({
        key: record({
          address: (forwarding === TUNNELING
            ? family
            : fc.constant(service.family)
          ).chain(addressOf),
          port: keepsPort ? fc.constant(service.port) : whole(0, 65535),
        }),
        settings: record({
          forwarding: fc.constant(forwarding),
          weight: whole(0, 0x7fffffff),
          tunnel:
            forwarding === TUNNELING
              ? tunnel
              : fc.constant({ type: 0, port: 0, flags: 0 }),
          upperThreshold: whole(0, 0x7fffffff),
          lowerThreshold: whole(0, 0x7fffffff),
        }),
      });
    });
}

/** A random service with real servers. The kernel may refuse some of them. */
export const settableServices = key.chain((key) =>
  record({
    key: fc.constant(key),
    settings: settingsOf(key),
    servers: fc.array(serverOf(key), { maxLength: 3 }),
  }),
);
