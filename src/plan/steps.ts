import type { Change } from "../ipvs/change.js";
import type { Differences, ServiceDifference } from "./compare.js";
import {
  HASHED,
  type Daemon,
  type ServerKey,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
  type ServiceWithServers,
} from "../ipvs/model.js";
import type { ServerRule, ServiceRule, TableRule } from "../ipvs/table.js";

/**
 * One change, and the changes that undo it.
 *
 * @since 0.2.0
 */
export interface Step {
  /** The change */
  readonly change: Change;
  /** To be sent in this order, after all later steps have been undone */
  readonly undo: readonly Change[];
  /** The rule that asks for the change; undefined for removals */
  readonly rule: TableRule | undefined;
}

export function* addService({
  rule,
  servers,
}: Extract<ServiceDifference, { kind: "add" }>): Generator<Step> {
  const { key: service } = rule;
  yield {
    change: {
      command: "add-service",
      service,
      settings: withoutKernelFlags(rule.settings),
    },
    undo: [{ command: "delete-service", service }],
    rule,
  };
  for (const server of servers) yield addServer(service, server);
}

export function editService(
  { key: service, settings }: ServiceWithServers,
  to: ServiceSettings,
  rule: ServiceRule,
): Step {
  const edit = (settings: ServiceSettings): Change => ({
    command: "edit-service",
    service,
    settings: withoutKernelFlags(settings),
  });
  return { change: edit(to), undo: [edit(settings)], rule };
}

/** The kernel lists the newest server first. To restore the order, undo adds the servers in reverse. */
export function deleteService({
  key: service,
  settings,
  servers,
}: Pick<ServiceWithServers, "key" | "settings"> & {
  readonly servers: readonly ServerWithSettings[];
}): Step {
  return {
    change: { command: "delete-service", service },
    undo: [
      {
        command: "add-service",
        service,
        settings: withoutKernelFlags(settings),
      },
      ...servers.toReversed().map((server) => additionOf(service, server)),
    ],
    rule: undefined,
  };
}

/** Clears the flag that only the kernel sets. */
function withoutKernelFlags(settings: ServiceSettings): ServiceSettings {
  return { ...settings, flags: (settings.flags & ~HASHED) >>> 0 };
}

/** A server's key and settings. */
interface ServerWithSettings {
  readonly key: ServerKey;
  readonly settings: ServerSettings;
}

function additionOf(
  service: ServiceKey,
  { key: server, settings }: ServerWithSettings,
): Change {
  return { command: "add-server", service, server, settings };
}

export function addServer(service: ServiceKey, rule: ServerRule): Step {
  return {
    change: additionOf(service, rule),
    undo: [{ command: "delete-server", service, server: rule.key }],
    rule,
  };
}

export function editServer(
  service: ServiceKey,
  { key: server, settings }: ServerWithSettings,
  to: ServerSettings,
  rule?: ServerRule,
): Step {
  const edit = (settings: ServerSettings): Change => ({
    command: "edit-server",
    service,
    server,
    settings,
  });
  return { change: edit(to), undo: [edit(settings)], rule };
}

export function deleteServer(
  service: ServiceKey,
  server: ServerWithSettings,
): Step {
  return {
    change: { command: "delete-server", service, server: server.key },
    undo: [additionOf(service, server)],
    rule: undefined,
  };
}

export function timeoutSteps(timeouts: Differences["timeouts"]): Step[] {
  if (!timeouts) return [];
  const { from, to, rule } = timeouts;
  const before = {
    tcpSeconds: to.tcpSeconds === 0 ? 0 : from.tcpSeconds,
    tcpFinSeconds: to.tcpFinSeconds === 0 ? 0 : from.tcpFinSeconds,
    udpSeconds: to.udpSeconds === 0 ? 0 : from.udpSeconds,
  };
  return [
    {
      change: { command: "set", timeouts: to },
      undo: [{ command: "set", timeouts: before }],
      rule,
    },
  ];
}

export function stopDaemon(daemon: Daemon): Step {
  return {
    change: { command: "stop-daemon", daemon },
    undo: [{ command: "start-daemon", daemon }],
    rule: undefined,
  };
}

export function startDaemon(daemon: Daemon): Step {
  return {
    change: { command: "start-daemon", daemon },
    undo: [{ command: "stop-daemon", daemon }],
    rule: daemon,
  };
}
