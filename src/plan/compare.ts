import { sameAddress } from "../ipvs/address.js";
import type { CurrentState } from "./current-state.js";
import {
  daemonMatches,
  serverMatches,
  serviceMatches,
} from "./settings-match.js";
import {
  formatEndpoint,
  formatService,
  type Daemon,
  type ServerEntry,
  type ServerKey,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
  type ServiceWithServers,
  type Timeouts,
} from "../ipvs/model.js";
import type { ServerRule, ServiceRule, Table } from "../ipvs/table.js";

/** Which differences between the desired and the current state count. */
export interface Scope {
  /** Whether to remove what is not in the desired state */
  readonly prune: boolean;
  /** Whether existing real servers keep their current weights */
  readonly keepWeights: boolean;
  /** Limits the comparison to some services; timeouts and sync daemons are then ignored */
  readonly only?: ((service: ServiceKey) => boolean) | undefined;
}

/** A real server that differs from the desired state. */
export type ServerDifference =
  | { readonly kind: "add"; readonly rule: ServerRule }
  | {
      readonly kind: "change";
      readonly server: ServerEntry;
      readonly to: ServerSettings;
      readonly rule: ServerRule;
    }
  | { readonly kind: "remove"; readonly server: ServerEntry };

/** A virtual service that differs from the desired state, or whose real servers do. */
export type ServiceDifference =
  | {
      readonly kind: "add";
      readonly rule: ServiceRule;
      readonly servers: readonly ServerRule[];
    }
  | {
      readonly kind: "change";
      readonly service: ServiceWithServers;
      /** Undefined if only its servers differ */
      readonly to: ServiceSettings | undefined;
      readonly servers: readonly ServerDifference[];
      readonly rule: ServiceRule;
    }
  | { readonly kind: "remove"; readonly service: ServiceWithServers };

/** A sync daemon that has to be started, stopped, or both. */
export interface DaemonDifference {
  readonly from: Daemon | undefined;
  readonly to: Daemon | undefined;
}

/** How the current state differs from the desired state. */
export interface Differences {
  /** In the order of the desired state; removals come last */
  readonly services: readonly ServiceDifference[];
  /** In `to`, 0 means unchanged */
  readonly timeouts:
    | {
        readonly from: Timeouts;
        readonly to: Timeouts;
        readonly rule: Timeouts;
      }
    | undefined;
  readonly daemons: readonly DaemonDifference[];
}

/**
 * Compares the desired state with the current state.
 *
 * Timeouts and sync daemons are compared only if both states include them.
 */
export function compare(
  desired: Table,
  current: CurrentState,
  scope: Scope,
): Differences {
  const { only } = scope;
  return {
    services: compareServices(desired, current, scope),
    timeouts: only
      ? undefined
      : compareTimeouts(current.timeouts, desired.timeouts),
    daemons: only
      ? []
      : compareDaemons(current.daemons, desired.daemons, scope.prune),
  };
}

/** Whether there are no differences. */
export function isUpToDate({
  services,
  timeouts,
  daemons,
}: Differences): boolean {
  return services.length + daemons.length === 0 && timeouts === undefined;
}

function compareServices(
  desired: Table,
  current: CurrentState,
  { prune, keepWeights, only }: Scope,
): ServiceDifference[] {
  const counts = ({ key }: { readonly key: ServiceKey }) => only?.(key) ?? true;
  const remaining = new Map(
    current.services.map((one) => [formatService(one.key), one]),
  ); // current services that no desired service matched yet
  const differences: ServiceDifference[] = [];
  for (const [name, { rule, servers: all }] of mergeDuplicates(
    desired.services.filter(counts),
  )) {
    const service = remaining.get(name);
    remaining.delete(name);
    if (!service)
      differences.push({ kind: "add", rule, servers: [...all.values()] });
    else {
      const to = serviceMatches(service.settings, rule.settings)
        ? undefined
        : rule.settings;
      const servers = compareServers(service, all, prune, keepWeights);
      if (to !== undefined || servers.length > 0)
        differences.push({ kind: "change", service, to, servers, rule });
    }
  }
  if (prune)
    for (const service of remaining.values())
      if (counts(service)) differences.push({ kind: "remove", service });
  return differences;
}

/** A desired service with the servers of all its rules. */
interface DesiredService {
  readonly rule: ServiceRule;
  /** By address and port */
  readonly servers: ReadonlyMap<string, ServerRule>;
}

/** Merges rules for the same service. The first rule wins, because the kernel would refuse the second. */
function mergeDuplicates(
  rules: readonly ServiceRule[],
): ReadonlyMap<string, DesiredService> {
  const found = new Map<
    string,
    DesiredService & { servers: Map<string, ServerRule> }
  >();
  for (const rule of rules) {
    const name = formatService(rule.key);
    const { servers } = found.get(name) ?? { servers: new Map() };
    if (!found.has(name)) found.set(name, { rule, servers });
    for (const server of rule.servers)
      if (!servers.has(serverId(server))) servers.set(serverId(server), server);
  }
  return found;
}

function compareServers(
  service: ServiceWithServers,
  all: ReadonlyMap<string, ServerRule>,
  prune: boolean,
  keepWeights: boolean,
): ServerDifference[] {
  const { servers } = service;
  // Usually both lists are alike. Names cost time, and serve compares ten thousand servers every two seconds.
  const alike = haveSameServers([...all.values()], servers);
  const remaining = new Map(
    alike ? [] : servers.map((one) => [serverId(one), one]),
  );
  const differences: ServerDifference[] = [];
  let at = 0;
  for (const [name, desired] of all) {
    const server = alike ? servers[at++] : remaining.get(name);
    remaining.delete(name);
    if (!server) {
      differences.push({ kind: "add", rule: desired });
      continue;
    }
    const to = keepWeights
      ? { ...desired.settings, weight: server.settings.weight }
      : desired.settings;
    if (!serverMatches(server.settings, to))
      differences.push({ kind: "change", server, to, rule: desired });
  }
  if (prune)
    for (const server of remaining.values())
      differences.push({ kind: "remove", server });
  return differences;
}

/** Whether two lists have the same servers in the same order. */
function haveSameServers(
  a: readonly ServerRule[],
  b: readonly ServerEntry[],
): boolean {
  return (
    a.length === b.length &&
    a.every(({ key }, i) => {
      const other = b[i]?.key;
      return (
        key.port === other?.port && sameAddress(key.address, other.address)
      );
    })
  );
}

function serverId({ key }: { readonly key: ServerKey }): string {
  return formatEndpoint(key.address, key.port);
}

function compareTimeouts(
  from: Timeouts | undefined,
  desired: Timeouts | undefined,
): Differences["timeouts"] {
  if (!from || !desired) return undefined;
  const changed = (member: keyof Timeouts) =>
    desired[member] === from[member] ? 0 : desired[member];
  const to = {
    tcpSeconds: changed("tcpSeconds"),
    tcpFinSeconds: changed("tcpFinSeconds"),
    udpSeconds: changed("udpSeconds"),
  };
  return Object.values(to).every((seconds) => seconds === 0)
    ? undefined
    : { from, to, rule: desired };
}

function compareDaemons(
  current: readonly Daemon[] | undefined,
  desired: readonly Daemon[] | undefined,
  prune: boolean,
): DaemonDifference[] {
  if (!current || !desired) return [];
  const remaining = new Map(current.map((daemon) => [daemon.state, daemon]));
  const differences: DaemonDifference[] = [];
  for (const [i, to] of desired.entries()) {
    if (desired.findIndex(({ state }) => state === to.state) < i) continue;
    const from = remaining.get(to.state);
    remaining.delete(to.state);
    if (!from || !daemonMatches(from, to)) differences.push({ from, to });
  }
  if (prune)
    for (const from of remaining.values())
      differences.push({ from, to: undefined });
  return differences;
}
