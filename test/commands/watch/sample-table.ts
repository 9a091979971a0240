import { INET, INET6 } from "../../../src/ipvs/address.js";
import {
  MASQUERADING,
  TCP,
  UDP,
  type ServerEntry,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
  type ServiceWithServers,
} from "../../../src/ipvs/model.js";
import type { Reading } from "../../../src/commands/watch/read-table.js";
import {
  address,
  serverEntry,
  serviceEntry,
  stats,
} from "../../fixtures/entries.js";

export const WEB: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};
export const NAMES: ServiceKey = { ...WEB, protocol: UDP, port: 53 };
export const LONG: ServiceKey = {
  family: INET6,
  protocol: TCP,
  address: address("2001:db8:1234:5678:9abc:def0:1234:5678"),
  port: 8443,
};
export const MARK: ServiceKey = { family: INET, firewallMark: 7 };

/** A real server after some connections. Each had 10 packets in and 8 packets out, and more bytes out than in. */
export function server(
  text: string,
  connections: number,
  settings: Partial<ServerSettings> = {},
  activeConnections = 0,
): ServerEntry {
  return {
    ...serverEntry(text, 8080, { forwarding: MASQUERADING, ...settings }),
    activeConnections,
    stats: counted(connections),
  };
}

/** A service whose counters are the sums of those of its servers. */
export function service(
  key: ServiceKey,
  servers: readonly ServerEntry[],
  settings: Partial<ServiceSettings> = {},
): ServiceWithServers {
  const connections = servers.reduce(
    (sum, one) => sum + Number(one.stats.connections),
    0,
  );
  return {
    ...serviceEntry(key, settings, servers),
    stats: counted(connections),
  };
}

function counted(connections: number) {
  const count = BigInt(connections);
  return stats({
    connections: count,
    inPackets: count * 10n,
    outPackets: count * 8n,
    inBytes: count * 1000n,
    outBytes: count * 64_000n,
  });
}

/** A reading at a second of the clock. */
export function reading(
  at: number,
  services: readonly ServiceWithServers[],
): Reading {
  const date = new Date(2024, 0, 2, 3, 4, 5);
  date.setSeconds(date.getSeconds() + at);
  return { at, durationSeconds: 0.01, date, services };
}
