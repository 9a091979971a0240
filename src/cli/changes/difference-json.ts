import {
  daemonMembers,
  serverSettingsMembers,
  settingsMembers,
  timeoutMembers,
  type Members,
} from "../../document/write-table.js";
import { formatSelector } from "../../grammar/selector.js";
import type { Differences, ServiceDifference } from "../../plan/compare.js";
import {
  formatEndpoint,
  type ServerKey,
  type ServerSettings,
  type ServiceKey,
  type Timeouts,
} from "../../ipvs/model.js";
import type { Tally } from "./tally.js";

/** Differences as a list, each of one service, real server or sync daemon, or of the timeouts. */
export function differenceMembers({
  services,
  timeouts,
  daemons,
}: Differences): Members[] {
  return [
    ...(timeouts
      ? [
          {
            change: "change",
            of: "timeouts",
            from: timeoutMembers(timeouts.from),
            to: timeoutMembers(settled(timeouts.from, timeouts.to)),
          },
        ]
      : []),
    ...daemons.map(({ from, to }) => ({
      change: from && to ? "change" : to ? "add" : "remove",
      of: "daemon",
      from: from && daemonMembers(from),
      to: to && daemonMembers(to),
    })),
    ...services.flatMap(serviceMembers),
  ];
}

/** How many of each kind differ. */
export function tallyMembers({ add, change, remove }: Tally): Members {
  return { add: { ...add }, change: { ...change }, remove: { ...remove } };
}

/** 0 is what stays. */
function settled(from: Timeouts, to: Timeouts): Timeouts {
  return {
    tcpSeconds: to.tcpSeconds || from.tcpSeconds,
    tcpFinSeconds: to.tcpFinSeconds || from.tcpFinSeconds,
    udpSeconds: to.udpSeconds || from.udpSeconds,
  };
}

function serviceMembers(one: ServiceDifference): Members[] {
  if (one.kind === "add") {
    const { key, settings } = one.rule;
    return [
      {
        change: "add",
        of: "service",
        service: formatSelector(key),
        to: settingsMembers(settings),
      },
      ...one.servers.map((server) =>
        serverMembers(key, server.key, undefined, server.settings),
      ),
    ];
  }
  const { key, settings, servers } = one.service;
  const service = formatSelector(key);
  const from = settingsMembers(settings);
  if (one.kind === "remove")
    return [
      { change: "remove", of: "service", service, from },
      ...servers.map((server) =>
        serverMembers(key, server.key, server.settings, undefined),
      ),
    ];
  return [
    ...(one.to
      ? [
          {
            change: "change",
            of: "service",
            service,
            from,
            to: settingsMembers(one.to),
          },
        ]
      : []),
    ...one.servers.map((server) => {
      if (server.kind === "add")
        return serverMembers(
          key,
          server.rule.key,
          undefined,
          server.rule.settings,
        );
      const to = server.kind === "change" ? server.to : undefined;
      return serverMembers(key, server.server.key, server.server.settings, to);
    }),
  ];
}

function serverMembers(
  service: ServiceKey,
  { address, port }: ServerKey,
  from: ServerSettings | undefined,
  to: ServerSettings | undefined,
): Members {
  return {
    change: from && to ? "change" : to ? "add" : "remove",
    of: "server",
    service: formatSelector(service),
    server: formatEndpoint(address, port),
    from: from && serverSettingsMembers(from),
    to: to && serverSettingsMembers(to),
  };
}
