import { formatAddress, type Address } from "../ipvs/address.js";
import { ConnectionReader } from "../ipvs/connection-reader.js";
import { isTemplate } from "../ipvs/connection-states.js";
import { blocksOf } from "../system/files.js";
import type { ConnectionGroup, Connections } from "./connections.js";

/** Of more groups than this the rest is only counted: a table that is larger is seen in part. */
const MOST_GROUPS = 100_000;

/** A group while it grows */
interface Growing extends ConnectionGroup {
  readonly states: Map<string, { count: number; longestSeconds: number }>;
  readonly opening: Map<number, number>;
}

/**
 * Reads the table of connections, however long it is.
 *
 * @param file where the kernel shows it
 * @throws the error of open(2)
 */
export async function readConnections(file: string): Promise<Connections> {
  const groups = new Map<string, Growing>();
  const reader = new ConnectionReader();
  let entries = 0;
  for await (const lines of blocksOf(file)) {
    reader.load(lines);
    while (reader.next()) {
      entries++;
      if (isTemplate(reader)) continue;
      const { protocol, virtualKey, serverKey } = reader;
      const key = `${protocol} ${virtualKey} ${serverKey}`;
      let group = groups.get(key);
      if (!group && groups.size < MOST_GROUPS) {
        group = groupAt(reader);
        if (group) groups.set(key, group);
      }
      if (group) count(group, reader.state, reader.expiresSeconds);
    }
  }
  const byServer = new Map<string, ConnectionGroup[]>();
  for (const group of groups.values()) {
    const text = formatAddress(group.server);
    const some = byServer.get(text);
    if (some) some.push(group);
    else byServer.set(text, [group]);
  }
  return { entries, byServer };
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
  };
}

function count(group: Growing, state: string, seconds: number): void {
  const counted = group.states.get(state);
  if (!counted) group.states.set(state, { count: 1, longestSeconds: seconds });
  else {
    counted.count++;
    counted.longestSeconds = Math.max(counted.longestSeconds, seconds);
  }
  if (state === "SYN_RECV")
    group.opening.set(seconds, (group.opening.get(seconds) ?? 0) + 1);
}
