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
 * The steps from the current to the desired state, with the fewest possible messages.
 *
 * There are three stages; a stage starts when the one before is complete. No step takes the last server with a weight
 * above 0 from a service, unless the desired state has none either. Removals come last: if the kernel refuses a change,
 * nothing has been removed yet in nearly all cases.
 */
export interface Plan {
  /** New services and real servers, and edits in place. Existing connections are kept. */
  readonly build: readonly Step[];
  /** Edits that set the weight of a real server to 0 */
  readonly quiesce: readonly Step[];
  /** Removals */
  readonly remove: readonly Step[];
  /** The real servers that must be empty before `remove` starts */
  readonly draining: readonly DrainingServer[];
}

/** All steps of a plan, in order. */
export function allSteps({ build, quiesce, remove }: Plan): Step[] {
  return [...build, ...quiesce, ...remove];
}

/**
 * Makes the plan for a set of differences.
 *
 * @param drain whether to drain real servers before they are removed
 */
export function makePlan(differences: Differences, drain: boolean): Plan {
  const { services, timeouts, daemons } = differences;
  const steps = new ServiceSteps(drain);
  for (const one of addedFirst(services)) steps.take(one);
  const [early, between, late] = daemonSteps(daemons, services);
  return {
    build: [
      ...timeoutSteps(timeouts),
      ...early,
      ...steps.additions,
      ...steps.serviceEdits,
      ...steps.serverEdits,
      ...between,
    ],
    quiesce: [...steps.editsToWeightZero, ...steps.drains],
    remove: [...serversFirst(steps.removals), ...late],
    draining: steps.draining,
  };
}

/** Collects the steps for services and real servers by kind. */
class ServiceSteps {
  readonly additions: Step[] = [];
  readonly serviceEdits: Step[] = [];
  /** Edits of real servers whose new weight is above 0 */
  readonly serverEdits: Step[] = [];
  /** Edits of real servers whose new weight is 0 */
  readonly editsToWeightZero: Step[] = [];
  /** Weight 0 for servers that will be removed */
  readonly drains: Step[] = [];
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
        if (to) this.serviceEdits.push(editService(service, to, rule));
        for (const server of one.servers) this.#takeServer(service.key, server);
        return;
      }
      case "remove": {
        const { service } = one;
        const servers = service.servers.map((server) =>
          this.#drained(service.key, server),
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
        const steps = to.weight > 0 ? this.serverEdits : this.editsToWeightZero;
        steps.push(editServer(service, server, to, rule));
        return;
      }
      case "remove":
        this.removals.push(
          deleteServer(service, this.#drained(service, one.server)),
        );
    }
  }

  /** A real server as it is when it is removed: with weight 0 if it is drained first. */
  #drained(service: ServiceKey, server: ServerEntry): ServerEntry {
    if (!this.#drain) return server;
    this.draining.push({ service, server: server.key });
    if (server.settings.weight === 0) return server;
    const settings = { ...server.settings, weight: 0 };
    this.drains.push(editServer(service, server, settings));
    return { ...server, settings };
  }
}

/** Puts new services before changes of existing services. */
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
 * The steps for sync daemons: before the services are built, after that, and after the removals.
 *
 * While a daemon runs, the kernel refuses real servers whose address family differs from the service's. While such a
 * server exists, it refuses to start a daemon.
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

/** Whether real servers whose address family differs from their service's are added or removed. */
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
