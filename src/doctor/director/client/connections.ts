import { sameAddress, type Address } from "../../../ipvs/address.js";
import { CLIENT, ConnectionReader } from "../../../ipvs/connection-reader.js";
import { isTemplate } from "../../../ipvs/connection-states.js";
import type { Connection } from "../../../ipvs/connections.js";
import { formatEndpoint } from "../../../ipvs/model.js";
import { blocksOf } from "../../../system/files.js";

/** More connections of a client are only counted. */
const MOST_CONNECTIONS = 10_000;

/** Reads the connections of one client. */
export async function connectionsOf(
  file: string,
  client: Address,
): Promise<Connection[]> {
  const found: Connection[] = [];
  const reader = new ConnectionReader();
  for await (const lines of blocksOf(file)) {
    reader.load(lines);
    while (reader.next()) {
      const address = reader.address(CLIENT);
      if (!address || !sameAddress(address, client)) continue;
      if (isTemplate(reader) || found.length >= MOST_CONNECTIONS) continue;
      const connection = reader.connection();
      if (connection) found.push(connection);
    }
  }
  return found;
}

/** Names a connection: protocol, client port, virtual address and port. */
function connectionName(one: Connection): string {
  return `${one.protocol} ${one.clientPort} ${formatEndpoint(one.virtual, one.virtualPort)}`;
}

/** The state of a TCP connection that the client has not confirmed. */
export const OPENING = "SYN_RECV";

/** A connection of a client that is followed. */
export interface SeenConnection {
  /** As it was last */
  readonly connection: Connection;
  /** `new`: it began meanwhile. `used`: it is older, and a packet came. `idle`: it is older, and none came */
  readonly use: "new" | "used" | "idle";
  /** How long it was seen in its last state */
  readonly stateSeconds: number;
}

interface Sighting {
  connection: Connection;
  use: SeenConnection["use"];
  /** When it was first seen, and in how many seconds it expired then */
  readonly first: { readonly time: number; readonly expiresSeconds: number };
  /** When its state was first seen, and when it was last seen, in milliseconds */
  since: number;
  last: number;
}

/** Collects the connections of a client, look by look. */
export class ConnectionWatch {
  readonly #seen = new Map<string, Sighting>();
  #looks = 0;

  /**
   * Adds a look at the connection table.
   *
   * @param began when the table was read, from this time
   * @param ended to this one, in milliseconds
   */
  look(connections: readonly Connection[], began: number, ended: number): void {
    this.#looks++;
    for (const connection of connections) {
      const name = connectionName(connection);
      const before = this.#seen.get(name);
      if (before && !beginsAgain(before.connection, connection)) {
        if (before.connection.state !== connection.state) before.since = began;
        if (before.use === "idle" && hasPacket(before, connection, began))
          before.use = "used";
        before.connection = connection;
        before.last = ended;
      } else
        this.#seen.set(name, {
          connection,
          use: this.#looks === 1 ? "idle" : "new",
          first: { time: ended, expiresSeconds: connection.expiresSeconds },
          since: began,
          last: ended,
        });
    }
  }

  /** All that were seen. */
  get connections(): SeenConnection[] {
    return Array.from(
      this.#seen.values(),
      ({ connection, use, since, last }) => ({
        connection,
        use,
        stateSeconds: (last - since) / 1000,
      }),
    );
  }
}

/** Whether a client used its port again, for another connection. */
function beginsAgain(before: Connection, now: Connection): boolean {
  return now.state === OPENING && before.state !== OPENING;
}

/** Whether a packet came since a connection was first seen: each one changes the state or starts the time to expire again. */
function hasPacket(
  { connection: before, first }: Sighting,
  { state, expiresSeconds }: Connection,
  began: number,
): boolean {
  const passed = (began - first.time) / 1000;
  return (
    before.state !== state ||
    expiresSeconds >= first.expiresSeconds + 1 - passed
  );
}
