import { isTemplate } from "../../ipvs/connection-states.js";
import type { Connection } from "../../ipvs/connections.js";
import { networkOf } from "../../ipvs/ip-network.js";
import type { Io } from "../../runtime/io.js";
import { explain } from "../../cli/errors.js";
import { NO_FILTERS, type Filters } from "../connections/filter.js";
import { scan } from "../connections/scan.js";
import { TopCounter, type TopRow } from "../connections/top-counter.js";
import type { Row } from "./rows.js";
import { nextEventLoopTurn } from "../../system/event-loop.js";

/** The connections of a service or a server. */
export interface ConnectionSummary {
  readonly connections: number;
  readonly templates: number;
  readonly states: readonly TopRow[];
  readonly clients: readonly TopRow[];
  /** The first ones, in the kernel's order, with templates */
  readonly first: readonly Connection[];
}

/** The most connections that are kept for the list. */
const LISTED = 200;
const LISTED_CLIENTS = 5;
const LISTED_STATES = 12;

/**
 * Reads the connections of a row from the connection table, which may have millions of entries. Between chunks, other events
 * are handled.
 *
 * @param isWanted whether the summary is still needed. If not, reading stops
 * @returns the summary, or why the connections cannot be read
 */
export async function readConnectionSummary(
  row: Row,
  io: Io,
  isWanted: () => boolean,
): Promise<ConnectionSummary | { readonly fault: string }> {
  const filters = filtersFor(row);
  if (!filters) return NO_CONNECTIONS;
  const states = new TopCounter("state");
  const clients = new TopCounter("client");
  const first: Connection[] = [];
  try {
    const totals = await scan(
      {
        filters,
        templates: "with",
        top: undefined,
        count: false,
        limit: Infinity,
      },
      io,
      {
        visit(line) {
          const connection =
            first.length < LISTED ? line.connection() : undefined;
          if (connection) first.push(connection);
          if (isTemplate(line)) return;
          states.add(line);
          clients.add(line);
        },
        async pause() {
          await nextEventLoopTurn();
          return !isWanted();
        },
      },
    );
    return {
      ...totals,
      states: await states.rows(LISTED_STATES, undefined),
      clients: await clients.rows(LISTED_CLIENTS, undefined),
      first,
    };
  } catch (error) {
    const explanation = explain(error);
    if (!explanation) throw error;
    return { fault: explanation.fault };
  }
}

const NO_CONNECTIONS: ConnectionSummary = {
  connections: 0,
  templates: 0,
  states: [],
  clients: [],
  first: [],
};

/**
 * Selects the connections of a row. The kernel does not report the firewall mark of a connection, so the connections of all
 * services to the same servers are selected.
 *
 * @returns undefined if there can be none
 */
function filtersFor({ service, server }: Row): Filters | undefined {
  const { key } = service.entry;
  if (!("firewallMark" in key) && !server)
    return { ...NO_FILTERS, services: [key] };
  const servers = (server ? [server] : service.servers).map(({ entry }) => ({
    network: networkOf(entry.key.address),
    port: entry.key.port,
  }));
  if (servers.length === 0) return undefined;
  return {
    ...NO_FILTERS,
    services: "firewallMark" in key ? [] : [key],
    servers,
  };
}
