import { keepsDaemon, keepsServer, keepsService } from "./settings-match.js";
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

/** What the kernel has. What is absent was not asked for, and is not compared. */
export interface Existing {
  readonly services: readonly ServiceWithServers[];
  readonly timeouts?: Timeouts;
  readonly daemons?: readonly Daemon[];
}

/** What of a wanted table is to count. */
export interface Scope {
  /** Whether what is not wanted goes; false: nothing is removed */
  readonly prune: boolean;
  /** Whether real servers that are there already keep their weights */
  readonly keepWeights: boolean;
  /** Which services count. With it, timeouts and sync daemons do not; undefined: all do. */
  readonly only?: ((service: ServiceKey) => boolean) | undefined;
}

/** A real server that is not as it is wanted. */
export type ServerDifference =
  | { readonly kind: "add"; readonly rule: ServerRule }
  | {
      readonly kind: "change";
      readonly server: ServerEntry;
      readonly to: ServerSettings;
      readonly rule: ServerRule;
    }
  | { readonly kind: "remove"; readonly server: ServerEntry };

/** A virtual service that is not as it is wanted, or has such real servers. */
export type ServiceDifference =
  | {
      readonly kind: "add";
      readonly rule: ServiceRule;
      readonly servers: readonly ServerRule[];
    }
  | {
      readonly kind: "change";
      readonly service: ServiceWithServers;
      /** Undefined: only its servers differ */
      readonly to: ServiceSettings | undefined;
      readonly servers: readonly ServerDifference[];
      readonly rule: ServiceRule;
    }
  | { readonly kind: "remove"; readonly service: ServiceWithServers };

/** A sync daemon that is not as it is wanted: to be started, stopped, or both. */
export interface DaemonDifference {
  readonly from: Daemon | undefined;
  readonly to: Daemon | undefined;
}

/** How a wanted table differs from what the kernel has. */
export interface Differences {
  /** As they are wanted, then those that are not wanted */
  readonly services: readonly ServiceDifference[];
  /** In `to`, 0 is what stays */
  readonly timeouts:
    | {
        readonly from: Timeouts;
        readonly to: Timeouts;
        readonly rule: Timeouts;
      }
    | undefined;
  readonly daemons: readonly DaemonDifference[];
}

/** Finds out what would have to change. What the wanted table does not speak of is as it is wanted. */
export function compare(
  wanted: Table,
  existing: Existing,
  scope: Scope,
): Differences {
  const { only } = scope;
  return {
    services: compareServices(wanted, existing, scope),
    timeouts: only
      ? undefined
      : compareTimeouts(existing.timeouts, wanted.timeouts),
    daemons: only
      ? []
      : compareDaemons(existing.daemons, wanted.daemons, scope.prune),
  };
}

/** Whether nothing differs. */
export function isEqual({ services, timeouts, daemons }: Differences): boolean {
  return services.length + daemons.length === 0 && timeouts === undefined;
}

function compareServices(
  wanted: Table,
  existing: Existing,
  { prune, keepWeights, only }: Scope,
): ServiceDifference[] {
  const counts = ({ key }: { readonly key: ServiceKey }) => only?.(key) ?? true;
  const there = new Map(
    existing.services.map((one) => [formatService(one.key), one]),
  );
  const differences: ServiceDifference[] = [];
  for (const [name, { rule, servers: all }] of united(
    wanted.services.filter(counts),
  )) {
    const service = there.get(name);
    there.delete(name);
    if (!service)
      differences.push({ kind: "add", rule, servers: [...all.values()] });
    else {
      const to = keepsService(service.settings, rule.settings)
        ? undefined
        : rule.settings;
      const servers = compareServers(service, all, prune, keepWeights);
      if (to !== undefined || servers.length > 0)
        differences.push({ kind: "change", service, to, servers, rule });
    }
  }
  if (prune)
    for (const service of there.values())
      if (counts(service)) differences.push({ kind: "remove", service });
  return differences;
}

/** A service that is wanted, once. */
interface Wanted {
  readonly rule: ServiceRule;
  /** By their names */
  readonly servers: ReadonlyMap<string, ServerRule>;
}

/** What comes twice is as it came first, which is how the kernel would have it; servers come together. */
function united(rules: readonly ServiceRule[]): ReadonlyMap<string, Wanted> {
  const found = new Map<
    string,
    Wanted & { servers: Map<string, ServerRule> }
  >();
  for (const rule of rules) {
    const name = formatService(rule.key);
    const { servers } = found.get(name) ?? { servers: new Map() };
    if (!found.has(name)) found.set(name, { rule, servers });
    for (const server of rule.servers)
      if (!servers.has(nameOf(server))) servers.set(nameOf(server), server);
  }
  return found;
}

function compareServers(
  service: ServiceWithServers,
  all: ReadonlyMap<string, ServerRule>,
  prune: boolean,
  keepWeights: boolean,
): ServerDifference[] {
  const there = new Map(service.servers.map((one) => [nameOf(one), one]));
  const differences: ServerDifference[] = [];
  for (const [name, wanted] of all) {
    const server = there.get(name);
    there.delete(name);
    if (!server) {
      differences.push({ kind: "add", rule: wanted });
      continue;
    }
    const to = keepWeights
      ? { ...wanted.settings, weight: server.settings.weight }
      : wanted.settings;
    if (!keepsServer(server.settings, to))
      differences.push({ kind: "change", server, to, rule: wanted });
  }
  if (prune)
    for (const server of there.values())
      differences.push({ kind: "remove", server });
  return differences;
}

function nameOf({ key }: { readonly key: ServerKey }): string {
  return formatEndpoint(key.address, key.port);
}

function compareTimeouts(
  from: Timeouts | undefined,
  wanted: Timeouts | undefined,
): Differences["timeouts"] {
  if (!from || !wanted) return undefined;
  const changed = (member: keyof Timeouts) =>
    wanted[member] === from[member] ? 0 : wanted[member];
  const to = {
    tcpSeconds: changed("tcpSeconds"),
    tcpFinSeconds: changed("tcpFinSeconds"),
    udpSeconds: changed("udpSeconds"),
  };
  return Object.values(to).every((seconds) => seconds === 0)
    ? undefined
    : { from, to, rule: wanted };
}

function compareDaemons(
  existing: readonly Daemon[] | undefined,
  wanted: readonly Daemon[] | undefined,
  prune: boolean,
): DaemonDifference[] {
  if (!existing || !wanted) return [];
  const there = new Map(existing.map((daemon) => [daemon.state, daemon]));
  const differences: DaemonDifference[] = [];
  for (const [i, to] of wanted.entries()) {
    if (wanted.findIndex(({ state }) => state === to.state) < i) continue;
    const from = there.get(to.state);
    there.delete(to.state);
    if (!from || !keepsDaemon(from, to)) differences.push({ from, to });
  }
  if (prune)
    for (const from of there.values())
      differences.push({ from, to: undefined });
  return differences;
}
