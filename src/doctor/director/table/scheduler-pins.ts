import {
  PERSISTENT,
  type ServiceSettings,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { schedulerFlag } from "../../../ipvs/scheduler-flags.js";
import { assess, takesConnections } from "../../../ipvs/state.js";
import { check } from "../../check.js";
import { editService, ofService, serverName } from "../../commands.js";
import type { Finding } from "../../finding.js";

/** Fewer connections can have come to one server by chance. */
const FEWEST_CONNECTIONS = 20;
/** The part of the connections that one server must have */
const NEARLY_ALL = 0.9;

/** Schedulers that choose by the destination of requests, which is the same for all requests to a virtual address */
const BY_DESTINATION: ReadonlyMap<string, string> = new Map([
  ["dh", "dh chooses a server by the destination address"],
  [
    "lblc",
    "lblc gives a destination address to one server as long as it is not overloaded",
  ],
  [
    "lblcr",
    "lblcr gives a destination address to one server as long as it is not overloaded",
  ],
]);
/** Schedulers that choose by the client's address */
const BY_SOURCE: ReadonlySet<string> = new Set(["sh", "mh"]);

/** Schedulers that give the connections of a service to one server. */
export const schedulerPins = check(["scheduler-pins"], ["table"], ({ table }) =>
  table.flatMap(pinned),
);

function pinned(entry: ServiceWithServers): Finding<"scheduler-pins">[] {
  const service = assess(entry);
  const { key, settings } = service;
  const { scheduler } = settings;
  const serving = service.servers.filter(({ state }) =>
    takesConnections(state),
  );
  if (serving.length < 2) return [];
  const counted = serving.map((server) => ({
    name: serverName(service, server).split(" ")[0] ?? "",
    share: server.share,
    count: server.activeConnections + server.inactiveConnections,
  }));
  const all = counted.reduce((sum, { count }) => sum + count, 0);
  const most = counted.reduce((a, b) => (b.count > a.count ? b : a));
  const nearlyAll = most.count > 0 && most.count >= all * NEARLY_ALL;
  const counts = nearlyAll
    ? `; ${most.count} of ${all} connections are at ${most.name}`
    : "";
  const destination = BY_DESTINATION.get(scheduler);
  const isPinned =
    all >= FEWEST_CONNECTIONS && nearlyAll && most.share < NEARLY_ALL;
  // A firewall mark can stand for many destinations, as in front of web caches. Only dh never looks at the load.
  if (
    destination !== undefined &&
    !("firewallMark" in key) &&
    (scheduler === "dh" || isPinned)
  )
    return [
      {
        id: "scheduler-pins",
        ...ofService(service),
        seen: `${destination}, and this service has only one${counts}`,
        fix: [
          {
            ...editService(service, byLoad(settings)),
            effect: EFFECT,
          },
        ],
      },
    ];
  const port = schedulerFlag(`${scheduler}-port`)?.bit ?? 0;
  if (
    BY_SOURCE.has(scheduler) &&
    !(settings.flags & (PERSISTENT | port)) &&
    isPinned
  )
    return [
      {
        id: "scheduler-pins",
        ...ofService(service),
        seen: `${scheduler} chooses a server by the client's address${counts}: its clients seem to come from few addresses`,
        certainty: "likely",
        fix: [
          {
            ...editService(service, byLoad(settings)),
            effect: `${EFFECT}; the flag ${scheduler}-port instead spreads the connections of one client, too`,
          },
        ],
      },
    ];
  return [];
}

const EFFECT =
  "new connections go to all servers by their load and weight; a client no longer gets the same server each time, which persistence (-p) does";

/** The bits whose meaning depends on the scheduler */
const OF_SCHEDULERS = ["flag-1", "flag-2", "flag-3"].reduce(
  (bits, name) => bits | (schedulerFlag(name)?.bit ?? 0),
  0,
);

function byLoad({ flags }: ServiceSettings): Partial<ServiceSettings> {
  return { scheduler: "wlc", flags: flags & ~OF_SCHEDULERS };
}
