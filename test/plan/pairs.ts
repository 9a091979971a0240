import fc from "fast-check";
import { familyOf, INET, INET6 } from "../../src/ipvs/address.js";
import type { CurrentState } from "../../src/plan/current-state.js";
import { effectiveDaemon } from "../../src/plan/settings-match.js";
import {
  BACKUP,
  DIRECT_ROUTING,
  IPIP,
  MASQUERADING,
  MASTER,
  ONE_PACKET,
  PERSISTENT,
  TCP,
  TUNNELING,
  UDP,
  wholeNetmask,
  type Daemon,
  type ServiceKey,
} from "../../src/ipvs/model.js";
import type { ServerRule, ServiceRule, Table } from "../../src/ipvs/table.js";
import { address } from "../fixtures/entries.js";
import { ModelKernel } from "./model-kernel.js";

/* Random tables of few services and servers, so that two of them have much in common. */

const KEYS: readonly ServiceKey[] = [
  { family: INET, protocol: TCP, address: address("192.0.2.1"), port: 80 },
  { family: INET, protocol: UDP, address: address("192.0.2.1"), port: 80 },
  { family: INET6, protocol: TCP, address: address("2001:db8::1"), port: 80 },
  { family: INET, firewallMark: 7 },
  { family: INET6, firewallMark: 7 },
];

const HOSTS = ["192.0.2.10", "192.0.2.11", "192.0.2.12", "2001:db8::10"];

const settings = fc.record(
  {
    scheduler: fc.constantFrom("rr", "wlc"),
    flags: fc.constantFrom(0, PERSISTENT, ONE_PACKET, 0x08),
    timeoutSeconds: fc.constantFrom(0, 300),
  },
  { noNullPrototype: true },
);

const server = fc
  .record(
    {
      host: fc.constantFrom(...HOSTS),
      forwarding: fc.constantFrom(MASQUERADING, DIRECT_ROUTING, TUNNELING),
      weight: fc.integer({ min: 0, max: 2 }),
      type: fc.constantFrom(0, 1),
      upperThreshold: fc.constantFrom(3, 4),
      lowerThreshold: fc.constantFrom(0, 3),
    },
    { noNullPrototype: true },
  )
  .map(({ host, type, ...rest }): ServerRule => ({
    key: { address: address(host), port: 80 },
    settings: { ...rest, tunnel: { ...IPIP, type } },
  }));

const service: fc.Arbitrary<ServiceRule> = fc
  .record({
    key: fc.constantFrom(...KEYS),
    settings,
    servers: fc.uniqueArray(server, {
      maxLength: HOSTS.length,
      selector: ({ key }) => key.address.join(),
    }),
  })
  .map(({ key, settings, servers }) => ({
    key,
    settings: { ...settings, netmask: wholeNetmask(key.family) },
    servers,
  }));

const daemon = (state: Daemon["state"]): fc.Arbitrary<Daemon> =>
  fc
    .constantFrom(0, 5)
    .map((syncId) => ({ state, multicastInterface: "eth0", syncId }));

/** A table that the kernel accepts. */
const table = fc
  .record(
    {
      services: fc.uniqueArray(service, {
        maxLength: KEYS.length,
        selector: ({ key }) => KEYS.indexOf(key),
      }),
      timeouts: fc.record(
        {
          tcpSeconds: fc.constantFrom(600, 900),
          tcpFinSeconds: fc.constantFrom(60, 120),
          udpSeconds: fc.constant(300),
        },
        { noNullPrototype: true },
      ),
      daemons: fc
        .tuple(
          fc.option(daemon(MASTER), { nil: undefined }),
          fc.option(daemon(BACKUP), { nil: undefined }),
        )
        .map((all) => all.filter((one) => one !== undefined)),
    },
    { noNullPrototype: true },
  )
  .filter(
    ({ services, daemons }) =>
      daemons.length === 0 ||
      services.every(({ key, servers }) =>
        servers.every((one) => familyOf(one.key.address) === key.family),
      ),
  );

/** The state of a kernel after a table was applied to it. */
export function stateOf(
  table: Required<Omit<Table, "partial">>,
): Required<CurrentState> {
  const empty = new ModelKernel({ services: [], timeouts: table.timeouts });
  for (const { key, settings, servers } of table.services) {
    empty.apply({ command: "add-service", service: key, settings });
    for (const server of servers)
      empty.apply({
        command: "add-server",
        service: key,
        server: server.key,
        settings: server.settings,
      });
  }
  for (const daemon of table.daemons)
    empty.apply({
      command: "start-daemon",
      daemon: effectiveDaemon(daemon),
    });
  return empty.current;
}

/** A desired table and a current state. */
export const pairs: fc.Arbitrary<
  readonly [
    desired: Required<Omit<Table, "partial">>,
    current: Required<CurrentState>,
  ]
> = fc.tuple(table, table.map(stateOf));
