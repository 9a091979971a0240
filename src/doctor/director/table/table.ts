import {
  PERSISTENT,
  wholeNetmask,
  formatNarrowMask,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import {
  assess,
  takesConnections,
  type AssessedService,
} from "../../../ipvs/state.js";
import { check } from "../../check.js";
import {
  editServer,
  editService,
  ofServer,
  ofService,
  serverName,
} from "../../commands.js";
import type { Finding, Fix } from "../../finding.js";
import { emptyTable } from "./empty.js";

/** A table without services, or a service without a scheduler. */
export const emptiness = check(
  ["empty-table", "no-scheduler"],
  ["table"],
  ({ table, ...others }) => {
    const found: Finding<"empty-table" | "no-scheduler">[] = [];
    if (table.length === 0) found.push(emptyTable(others));
    for (const service of table)
      if (service.settings.scheduler === "none")
        found.push({
          id: "no-scheduler",
          ...ofService(service),
          seen: "its scheduler is none",
          fix: [editService(service, { scheduler: "wlc" })],
        });
    return found;
  },
);

/** Schedulers that use weights */
const WEIGHTED: ReadonlySet<string> = new Set([
  "wrr",
  "wlc",
  "lblc",
  "lblcr",
  "sed",
  "sh",
  "mh",
]);
/** Schedulers that ignore weights, with the one that does the same and respects them. */
const UNWEIGHTED: ReadonlyMap<string, string> = new Map([
  ["rr", "wrr"],
  ["lc", "wlc"],
]);
/** A server with less than this part of an even share is starved. */
const STARVING = 1 / 20;

/** Weights that give a server almost nothing, or that are ignored. */
export const weights = check(
  ["server-starved", "weights-ignored"],
  ["table"],
  ({ table }) => table.map(assess).flatMap(weightsOf),
);

function weightsOf(
  service: AssessedService,
): Finding<"server-starved" | "weights-ignored">[] {
  const { scheduler } = service.settings;
  const serving = service.servers.filter(({ state }) =>
    takesConnections(state),
  );
  const even = 1 / serving.length;
  if (WEIGHTED.has(scheduler))
    return serving
      .filter(({ share }) => share < even * STARVING)
      .map((server) => ({
        id: "server-starved",
        ...ofServer(service, server),
        seen: `its weight is ${server.settings.weight} of ${service.effectiveWeight}, so it gets one of ${Math.round(1 / server.share)} connections`,
        fix: [
          editServer(service, server, {
            weight: Math.round(service.effectiveWeight / serving.length),
          }),
        ],
      }));
  const weighted = UNWEIGHTED.get(scheduler);
  const given = new Set(serving.map(({ settings }) => settings.weight));
  if (weighted === undefined || given.size < 2) return [];
  return [
    {
      id: "weights-ignored",
      ...ofService(service),
      seen: `its servers have weights ${[...given].sort((a, b) => a - b).join(", ")}, which ${scheduler} ignores`,
      fix: [editService(service, { scheduler: weighted })],
    },
  ];
}

/** Fewer connections can have come to one server by chance. */
const FEWEST_CONNECTIONS = 20;
/** The part of the connections that one server must have */
const NEARLY_ALL = 0.9;

/** Persistence that gives almost all connections to one server. */
export const persistence = check(["persistence-pins"], ["table"], ({ table }) =>
  table.map(assess).flatMap(pinned),
);

function pinned(service: AssessedService): Finding<"persistence-pins">[] {
  const { flags, netmask } = service.settings;
  const serving = service.servers.filter(({ state }) =>
    takesConnections(state),
  );
  if (!(flags & PERSISTENT) || serving.length < 2) return [];
  const counted = serving.map((server) => ({
    server,
    connections: server.activeConnections + server.inactiveConnections,
  }));
  const all = counted.reduce((sum, { connections }) => sum + connections, 0);
  const most = counted.reduce((a, b) =>
    b.connections > a.connections ? b : a,
  );
  const { server, connections } = most;
  if (all < FEWEST_CONNECTIONS || connections < all * NEARLY_ALL) return [];
  if (server.share >= NEARLY_ALL) return []; // as its weight wants it
  const mask = formatNarrowMask(netmask);
  const who =
    mask === undefined
      ? "its clients seem to come from few addresses"
      : `clients are told apart by ${mask} only`;
  return [
    {
      id: "persistence-pins",
      ...ofService(service),
      seen: `${connections} of ${all} connections are at real server ${serverName(service, server).split(" ")[0] ?? ""}: ${who}`,
      fix: unpinned(service),
    },
  ];
}

/**
 * Tells clients apart by their whole address; if they already are, turns persistence off. The kernel has no service
 * with port 0 without persistence, so there is no command for that.
 */
function unpinned(service: ServiceWithServers): Fix[] {
  const { key, settings } = service;
  if (formatNarrowMask(settings.netmask) !== undefined)
    return [editService(service, { netmask: wholeNetmask(key.family) })];
  if ("port" in key && key.port === 0) return [];
  const flags = settings.flags & ~PERSISTENT;
  return [editService(service, { flags, persistenceEngine: undefined })];
}
