import { familyOf } from "./address.js";
import type {
  DaemonDifference,
  Differences,
  ServerDifference,
  ServiceDifference,
} from "./compare.js";
import type { DrainingServer } from "./drain.js";
import type { DestinationEntry, DestinationKey, ServiceKey } from "./model.js";
import {
  addServer,
  addService,
  deleteServer,
  deleteService,
  editServer,
  editService,
  startDaemon,
  stopDaemon,
  timeoutSteps,
  type Step,
} from "./steps.js";

export type { Step } from "./steps.js";

/**
 * What makes a table as it is wanted, with the fewest messages, in three stages: each begins when the one before has
 * been carried out wholly. No stage leaves a service that stays without a real server that takes connections, if it
 * has one and is to have one; what the kernel refuses, it nearly always refuses before anything was taken away.
 */
export interface Plan {
  /** New services and real servers, and edits in place: connections live on */
  readonly build: readonly Step[];
  /** Real servers that get no new connections any more */
  readonly quiesce: readonly Step[];
  /** What goes */
  readonly remove: readonly Step[];
  /** The real servers that must be empty before `remove` begins */
  readonly draining: readonly DrainingServer[];
}

/** All steps of a plan in their order. */
export function stepsOf({ build, quiesce, remove }: Plan): Step[] {
  return [...build, ...quiesce, ...remove];
}

/** @param drain whether real servers that go shall be empty first */
export function planOf(differences: Differences, drain: boolean): Plan {
  const { services, timeouts, daemons } = differences;
  const building: Step[] = [];
  const editing: Step[] = [];
  const raising: Step[] = [];
  const lowering: Step[] = [];
  const removing: Step[] = [];
  const going: DrainingServer[] = [];
  const quieting: Step[] = [];
  const goes = (service: ServiceKey, server: DestinationEntry) => {
    if (!drain) return server;
    going.push({ service, server: server.key });
    if (server.settings.weight === 0) return server;
    const quiet = { ...server, settings: { ...server.settings, weight: 0 } };
    quieting.push(editServer(service, server, quiet.settings));
    return quiet;
  };
  for (const one of addedFirst(services)) {
    if (one.kind === "add") building.push(...addService(one));
    else if (one.kind === "remove") {
      const servers = one.service.servers.map((server) =>
        goes(one.service.key, server),
      );
      removing.push(deleteService({ ...one.service, servers }));
    } else {
      const { key } = one.service;
      if (one.to) editing.push(editService(one.service, one.to, one.rule));
      for (const server of one.servers) {
        if (server.kind === "add") building.push(addServer(key, server.rule));
        else if (server.kind === "remove")
          removing.push(deleteServer(key, goes(key, server.server)));
        else {
          const step = editServer(key, server.server, server.to, server.rule);
          (server.to.weight > 0 ? raising : lowering).push(step);
        }
      }
    }
  }
  const [early, between, late] = daemonSteps(daemons, services);
  return {
    build: [
      ...timeoutSteps(timeouts),
      ...early,
      ...building,
      ...editing,
      ...raising,
      ...between,
    ],
    quiesce: [...lowering, ...quieting],
    remove: [...serversFirst(removing), ...late],
    draining: going,
  };
}

/** New services come before new servers of those that are there. */
function addedFirst(
  services: readonly ServiceDifference[],
): readonly ServiceDifference[] {
  const added = services.filter(({ kind }) => kind === "add");
  return added.length === 0
    ? services
    : [...added, ...services.filter(({ kind }) => kind !== "add")];
}

function serversFirst(steps: readonly Step[]): Step[] {
  const isService = ({ change }: Step) => change.command === "delete-service";
  return [
    ...steps.filter((step) => !isService(step)),
    ...steps.filter(isService),
  ];
}

/**
 * The steps for sync daemons: before services are built, after that, after removals.
 *
 * While a daemon runs, the kernel takes no real server of another family than its service's, and while there is such
 * a server it starts no daemon.
 *
 * @see ip_vs_genl_set_cmd(), ip_vs_genl_new_daemon() in net/netfilter/ipvs/ip_vs_ctl.c
 */
function daemonSteps(
  daemons: readonly DaemonDifference[],
  services: readonly ServiceDifference[],
): readonly [Step[], Step[], Step[]] {
  const steps = (commands: readonly ("start" | "stop")[]) =>
    daemons.flatMap(({ from, to }) => [
      ...(from && commands.includes("stop") ? [stopDaemon(from)] : []),
      ...(to && commands.includes("start") ? [startDaemon(to)] : []),
    ]);
  const mixed = mixedServers(services);
  if (mixed.added) return [steps(["stop"]), steps(["start"]), []];
  if (mixed.removed) return [[], steps(["stop"]), steps(["start"])];
  return [[], steps(["stop", "start"]), []];
}

/** Whether real servers of another family than their services' come, or go. */
function mixedServers(services: readonly ServiceDifference[]): {
  readonly added: boolean;
  readonly removed: boolean;
} {
  const found = { added: false, removed: false };
  const look = (
    what: keyof typeof found,
    service: ServiceKey,
    { key }: { readonly key: DestinationKey },
  ) => {
    found[what] ||= familyOf(key.address) !== service.family;
  };
  for (const one of services) {
    if (one.kind === "add")
      for (const server of one.servers) look("added", one.rule.key, server);
    else {
      const { key, servers } = one.service;
      if (one.kind === "remove")
        for (const server of servers) look("removed", key, server);
      else for (const server of one.servers) lookAt(key, server);
    }
  }
  return found;

  function lookAt(key: ServiceKey, server: ServerDifference): void {
    if (server.kind === "add") look("added", key, server.rule);
    if (server.kind === "remove") look("removed", key, server.server);
  }
}
