import type {
  DaemonDifference,
  Differences,
  ServiceDifference,
} from "../../plan/compare.js";
import type {
  Daemon,
  ServerKey,
  ServerSettings,
  ServiceKey,
  ServiceSettings,
  Timeouts,
} from "../../ipvs/model.js";

/** The old and the new settings: only the new ones of an addition, only the old ones of a removal. */
interface FromTo<Settings> {
  readonly from?: Settings | undefined;
  readonly to?: Settings | undefined;
}

/** One line of a diff: a service, a real server, a sync daemon, or the timeouts. */
export type DifferenceItem =
  | {
      readonly of: "timeouts";
      readonly from: Timeouts;
      readonly to: Timeouts;
    }
  | ({ readonly of: "daemon" } & FromTo<Daemon>)
  | ({
      readonly of: "service";
      readonly service: ServiceKey;
    } & FromTo<ServiceSettings>)
  | ({
      readonly of: "server";
      readonly service: ServiceKey;
      readonly server: ServerKey;
    } & FromTo<ServerSettings>);

export type ChangeKind = "add" | "change" | "remove";

/** What happens to an item. */
export function kindOf({ from, to }: DifferenceItem): ChangeKind {
  if (from && to) return "change";
  return to ? "add" : "remove";
}

/** All differences as a flat list, in the order of the desired state. */
export function differenceItems(differences: Differences): DifferenceItem[] {
  return [
    ...settingItems(differences),
    ...differences.services.flatMap(serviceItems),
  ];
}

/** The differences of timeouts and sync daemons. */
export function settingItems({
  timeouts,
  daemons,
}: Pick<Differences, "timeouts" | "daemons">): DifferenceItem[] {
  return [
    ...(timeouts
      ? [
          {
            of: "timeouts" as const,
            from: timeouts.from,
            to: withUnchanged(timeouts.from, timeouts.to),
          },
        ]
      : []),
    ...daemons.map(({ from, to }: DaemonDifference) => ({
      of: "daemon" as const,
      from,
      to,
    })),
  ];
}

/** Replaces 0, which means unchanged, by the old value. */
function withUnchanged(from: Timeouts, to: Timeouts): Timeouts {
  return {
    tcpSeconds: to.tcpSeconds || from.tcpSeconds,
    tcpFinSeconds: to.tcpFinSeconds || from.tcpFinSeconds,
    udpSeconds: to.udpSeconds || from.udpSeconds,
  };
}

/** The differences of a service, if its own settings differ, and of its real servers. */
export function serviceItems(one: ServiceDifference): DifferenceItem[] {
  const service = serviceKeyOf(one);
  const ofService = { of: "service" as const, service };
  const ofServer = { of: "server" as const, service };
  switch (one.kind) {
    case "add":
      return [
        { ...ofService, to: one.rule.settings },
        ...one.servers.map(({ key: server, settings: to }) => ({
          ...ofServer,
          server,
          to,
        })),
      ];
    case "remove":
      return [
        { ...ofService, from: one.service.settings },
        ...one.service.servers.map(({ key: server, settings: from }) => ({
          ...ofServer,
          server,
          from,
        })),
      ];
    case "change":
      return [
        ...(one.to
          ? [{ ...ofService, from: one.service.settings, to: one.to }]
          : []),
        ...one.servers.map((difference) =>
          difference.kind === "add"
            ? {
                ...ofServer,
                server: difference.rule.key,
                to: difference.rule.settings,
              }
            : {
                ...ofServer,
                server: difference.server.key,
                from: difference.server.settings,
                to: difference.kind === "change" ? difference.to : undefined,
              },
        ),
      ];
  }
}

export function serviceKeyOf(one: ServiceDifference): ServiceKey {
  return one.kind === "add" ? one.rule.key : one.service.key;
}
