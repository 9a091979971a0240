import type {
  ConnectionGroup,
  Connections,
} from "../../src/doctor/connections.js";
import { formatAddress } from "../../src/ipvs/address.js";
import { address } from "../fixtures/entries.js";

/** TCP connections of 192.0.2.1:80 with 192.0.2.10:80, by their states: the seconds until each expires. */
export function connectionGroup(
  states: Readonly<Record<string, readonly number[]>>,
  given: Partial<ConnectionGroup> = {},
): ConnectionGroup {
  const opening = new Map<number, number>();
  for (const seconds of states["SYN_RECV"] ?? [])
    opening.set(seconds, (opening.get(seconds) ?? 0) + 1);
  return {
    protocol: "TCP",
    virtual: address("192.0.2.1"),
    virtualPort: 80,
    server: address("192.0.2.10"),
    serverPort: 80,
    states: new Map(
      Object.entries(states).map(([state, all]) => [
        state,
        {
          count: all.length,
          longestSeconds: Math.max(...all),
          shortestSeconds: Math.min(...all),
        },
      ]),
    ),
    opening,
    clients: [],
    openingClients: [],
    ...given,
  };
}

/** A connection table with these groups. */
export function connectionTable(
  groups: readonly ConnectionGroup[] = [],
  given: Partial<Connections> = {},
): Connections {
  const byServer = new Map<string, ConnectionGroup[]>();
  for (const group of groups) {
    const text = formatAddress(group.server);
    byServer.set(text, [...(byServer.get(text) ?? []), group]);
  }
  return { entries: 9, byServer, templates: new Map(), ...given };
}
