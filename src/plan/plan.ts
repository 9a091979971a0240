import { familyOf } from "../ipvs/address.js";
import type {
  DaemonDifference,
  Differences,
  ServerDifference,
  ServiceDifference,
} from "./compare.js";
import type { DrainingServer } from "../ipvs/drain.js";
import type { ServerEntry, ServerKey, ServiceKey } from "../ipvs/model.js";
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
  const steps = new ServiceSteps(drain);
  for (const one of addedFirst(services)) steps.take(one);
  const [early, between, late] = daemonSteps(daemons, services);
  return {
    build: [
      ...timeoutSteps(timeouts),
      ...early,
      ...steps.additions,
      ...steps.edits,
      ...steps.raises,
      ...between,
    ],
    quiesce: [...steps.lowers, ...steps.quiets],
    remove: [...serversFirst(steps.removals), ...late],
    draining: steps.draining,
  };
}

/** The steps for services and real servers, each kind by itself. */
class ServiceSteps {
  readonly additions: Step[] = [];
  /** Of services */
  readonly edits: Step[] = [];
  /** Edits of real servers that take connections then */
  readonly raises: Step[] = [];
  /** Edits of real servers that take none then */
  readonly lowers: Step[] = [];
  /** Weight 0 for those that go */
  readonly quiets: Step[] = [];
  readonly removals: Step[] = [];
  readonly draining: DrainingServer[] = [];
  readonly #drain: boolean;

  constructor(drain: boolean) {
    this.#drain = drain;
  }

  take(one: ServiceDifference): void {
    switch (one.kind) {
      case "add":
        this.additions.push(...addService(one));
        return;
      case "change": {
        const { service, to, rule } = one;
        if (to) this.edits.push(editService(service, to, rule));
        for (const server of one.servers) this.#takeServer(service.key, server);
        return;
      }
      case "remove": {
        const { service } = one;
        const servers = service.servers.map((server) =>
          this.#quieted(service.key, server),
        );
        this.removals.push(deleteService({ ...service, servers }));
      }
    }
  }

  #takeServer(service: ServiceKey, one: ServerDifference): void {
    switch (one.kind) {
      case "add":
        this.additions.push(addServer(service, one.rule));
        return;
      case "change": {
        const { server, to, rule } = one;
        const steps = to.weight > 0 ? this.raises : this.lowers;
        steps.push(editServer(service, server, to, rule));
        return;
      }
      case "remove":
        this.removals.push(
          deleteServer(service, this.#quieted(service, one.server)),
        );
    }
  }

  /** A real server as it is when it goes: with weight 0, if it is to be empty then. */
  #quieted(service: ServiceKey, server: ServerEntry): ServerEntry {
    if (!this.#drain) return server;
    this.draining.push({ service, server: server.key });
    if (server.settings.weight === 0) return server;
    const settings = { ...server.settings, weight: 0 };
    this.quiets.push(editServer(service, server, settings));
    return { ...server, settings };
  }
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
    { key }: { readonly key: ServerKey },
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
