import { formatAddress, sameAddress, type Address } from "../ipvs/address.js";
import { ConnectionReader } from "../ipvs/connection-reader.js";
import { isTemplate } from "../ipvs/connection-states.js";
import { formatEndpoint } from "../ipvs/model.js";
import { blocksOf } from "../system/files.js";
import {
  MOST_CLIENTS,
  type ConnectionGroup,
  type Connections,
} from "./connections.js";
import { nextEventLoopTurn } from "../system/event-loop.js";

/** Entries beyond this many groups are counted, but not examined. */
const MOST_GROUPS = 100_000;

/** A group while the table is read */
interface Growing extends ConnectionGroup {
  readonly states: Map<
    string,
    { count: number; longestSeconds: number; shortestSeconds: number }
  >;
  readonly opening: Map<number, number>;
  readonly clients: Address[];
  readonly openingClients: Address[];
}

/**
 * Reads the connection table. Its length does not matter for the memory that this takes. Between chunks, other events are
 * handled: `serve` answers requests meanwhile.
 *
 * @param file /proc/net/ip_vs_conn
 * @throws the error of open(2)
 */
export async function readConnections(file: string): Promise<Connections> {
  const groups = new Map<string, Growing>();
  const reader = new ConnectionReader();
  let entries = 0;
  const templates = new Map<string, number>();
  for await (const lines of blocksOf(file)) {
    reader.load(lines);
    while (reader.next()) {
      entries++;
      if (isTemplate(reader)) {
        const { server, serverPort } = reader;
        if (!server) continue;
        const text = formatEndpoint(server, serverPort);
        templates.set(text, (templates.get(text) ?? 0) + 1);
        continue;
      }
      const { protocol, virtualKey, serverKey } = reader;
      const key = `${protocol} ${virtualKey} ${serverKey}`;
      let group = groups.get(key);
      if (!group && groups.size < MOST_GROUPS) {
        group = groupAt(reader);
        if (group) groups.set(key, group);
      }
      if (group) count(group, reader);
    }
    await nextEventLoopTurn();
  }
  const byServer = new Map<string, ConnectionGroup[]>();
  for (const group of groups.values()) {
    const text = formatAddress(group.server);
    const some = byServer.get(text);
    if (some) some.push(group);
    else byServer.set(text, [group]);
  }
  return { entries, byServer, templates };
}

function groupAt(reader: ConnectionReader): Growing | undefined {
  const virtual: Address | undefined = reader.virtual;
  const { protocol, virtualPort, server, serverPort } = reader;
  if (!virtual || !server) return undefined;
  return {
    protocol,
    virtual,
    virtualPort,
    server,
    serverPort,
    states: new Map(),
    opening: new Map(),
    clients: [],
    openingClients: [],
  };
}

function count(group: Growing, reader: ConnectionReader): void {
  const { state, expiresSeconds: seconds } = reader;
  const counted = group.states.get(state);
  if (!counted)
    group.states.set(state, {
      count: 1,
      longestSeconds: seconds,
      shortestSeconds: seconds,
    });
  else {
    counted.count++;
    counted.longestSeconds = Math.max(counted.longestSeconds, seconds);
    counted.shortestSeconds = Math.min(counted.shortestSeconds, seconds);
  }
  addClient(group.clients, reader);
  if (state === "SYN_RECV") {
    group.opening.set(seconds, (group.opening.get(seconds) ?? 0) + 1);
    addClient(group.openingClients, reader);
  }
}

function addClient(clients: Address[], reader: ConnectionReader): void {
  if (clients.length >= MOST_CLIENTS) return;
  const { client } = reader;
  if (client && !clients.some((one) => sameAddress(one, client)))
    clients.push(client);
}
