import type { ServiceKey } from "../ipvs/model.js";
import {
  checkCall,
  integer,
  listOf,
  object,
  oneOf,
  optional,
  text,
} from "./shape.js";
import { SERVICE_KEYS } from "./shapes.js";
import { InvalidArgument } from "./invalid-argument.js";

/**
 * Which connections to count, and how.
 *
 * @since 0.2.0
 */
export interface TopOptions {
  /** What to count connections by */
  readonly by: "client" | "service" | "server" | "state";
  /** How many rows to return, 1 or more; by default 10 */
  readonly limit?: number | undefined;
  /** Counts only connections of these services. A firewall mark is not possible */
  readonly services?: readonly ServiceKey[] | undefined;
  /** Counts only clients in these networks, such as `10.0.0.0/8` or `2001:db8::7` */
  readonly clients?: readonly string[] | undefined;
  /** The kernel's list of connections; by default /proc/net/ip_vs_conn */
  readonly file?: string | undefined;
}

/**
 * The connections of a client, a service, a real server or a state.
 *
 * @since 0.2.0
 */
export interface TopRow {
  /** `198.51.100.7`, `tcp/192.0.2.1:80`, `10.0.0.11:8080` or `ESTABLISHED` */
  readonly name: string;
  /** Its parts, such as `address` and `port` */
  readonly parts: Readonly<Record<string, string | number | undefined>>;
  /** How many it has, or at least this number if rare groups were dropped */
  readonly connections: number;
  /** At most this number */
  readonly atMost: number;
  /** Its part of all counted connections, 0 to 1 */
  readonly share: number;
}

/**
 * The largest groups of connections.
 *
 * @since 0.2.0
 */
export interface TopConnections {
  /** How many connections were counted, without persistence templates */
  readonly total: number;
  /** How many groups there are; undefined if there were too many to count */
  readonly different: number | undefined;
  /** The largest groups, largest first */
  readonly rows: readonly TopRow[];
}

/**
 * The kernel's list of connections cannot be read.
 *
 * @since 0.2.0
 */
export class ConnectionsUnreadable extends Error {
  override readonly name = "ConnectionsUnreadable";

  /**
   * @param message what failed, and why
   * @param advice what to do next
   */
  constructor(
    message: string,
    /** What to do next, as a phrase without a period */
    readonly advice: string,
  ) {
    super(message);
  }
}

const OPTIONS = object("options", {
  by: oneOf("client", "service", "server", "state"),
  limit: optional(integer(1, 1_000_000)),
  services: optional(SERVICE_KEYS),
  clients: optional(listOf("an array of networks", text)),
  file: optional(text),
});

const USUAL_LIMIT = 10;

/**
 * Counts the connections of each client, service, real server or state, as
 * `ipvsadm connections --top` does. Reads the kernel's list once, in bounded memory.
 *
 * @throws {ConnectionsUnreadable} if the list cannot be read
 * @throws {InvalidArgument} if an option is wrong
 * @see /proc/net/ip_vs_conn, ip_vs_conn_seq_show() in net/netfilter/ipvs/ip_vs_conn.c
 * @since 0.2.0
 */
export async function topConnections(
  options: TopOptions,
): Promise<TopConnections> {
  checkCall("topConnections", ["options", options, OPTIONS]);
  const {
    by,
    limit = USUAL_LIMIT,
    services = [],
    clients = [],
    file = "/proc/net/ip_vs_conn",
  } = options;
  const [
    { scan },
    { NO_FILTERS },
    { TopCounter },
    { parseNetwork },
    { nodeIo },
    { CommandError },
  ] = await Promise.all([
    import("../commands/connections/scan.js"),
    import("../commands/connections/filter.js"),
    import("../commands/connections/top-counter.js"),
    import("../ipvs/ip-network.js"),
    import("../runtime/node-io.js"),
    import("../cli/errors.js"),
  ]);
  for (const [i, service] of services.entries())
    if ("firewallMark" in service)
      throw new InvalidArgument(
        "topConnections",
        `options.services[${i}]`,
        "a service with an address",
        "a firewall mark",
        "the kernel does not report the mark of a connection",
      );
  const networks = clients.map((client, i) => {
    const network = parseNetwork(client);
    if (network) return network;
    throw new InvalidArgument(
      "topConnections",
      `options.clients[${i}]`,
      "an address or a network such as 10.0.0.0/8",
      JSON.stringify(client),
    );
  });
  const counter = new TopCounter(by);
  try {
    await scan(
      {
        filters: { ...NO_FILTERS, services, clients: networks },
        templates: "without",
        top: { by, limit },
        count: false,
        limit,
      },
      { ...nodeIo(), connectionsFile: file },
      {
        visit(line) {
          counter.add(line);
        },
      },
    );
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new ConnectionsUnreadable(error.fault, error.advice ?? "try again");
  }
  return {
    total: counter.total,
    different: counter.different,
    rows: (await counter.rows(limit, undefined)).map(
      ({ word, parts, connections, atMost, share }) => ({
        name: word,
        parts,
        connections,
        atMost,
        share,
      }),
    ),
  };
}
