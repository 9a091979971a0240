import { formatAddress, INET6 } from "../../ipvs/address.js";
import { changeLine } from "../../grammar/format-rule.js";
import {
  TRANSPORTS,
  type Protocol,
  type ServiceKey,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import { schedulerFlagNames } from "../../ipvs/scheduler-flags.js";
import { check } from "../check.js";
import { ofService, serviceName } from "../commands.js";
import type { Finding } from "../finding.js";
import type { AddressService, GroupClients } from "../persistence-groups.js";

type Id = "persistence-split" | "persistence-per-port";

/** If so many clients use several services, and none is split, something keeps them together. */
const ENOUGH_CLIENTS = 10;

/** Services that belong together, perhaps, and are each persistent by themselves. */
export const separatePersistence = check(
  ["persistence-split", "persistence-per-port"],
  ["table", "allServices", "groupClients"],
  ({ groupClients, allServices }) =>
    groupClients.flatMap((group): Finding<Id>[] => {
      const { services, several, split, example } = group;
      const [first, ...others] = services;
      if (!first) return [];
      const verb =
        others.length === 1
          ? "has the same real servers"
          : "have the same real servers";
      const apart = `${others.map(serviceName).join(", ")} ${verb} and persistence of ${others.length === 1 ? "its" : "their"} own`;
      const cure = joined(services, allServices);
      if (example)
        return [
          {
            id: "persistence-split",
            ...ofService(first),
            seen: `${apart}: ${split} of ${several} ${several === 1 ? "client that uses several of these services is at different servers" : "clients that use several of these services are at different servers"}`,
            evidence: [exampleText(example, services)],
            cure,
            fix: [],
          },
        ];
      if (several >= ENOUGH_CLIENTS || !maySplit(services)) return [];
      return [
        {
          id: "persistence-per-port",
          ...ofService(first),
          seen: `${apart}: a client can be at different servers`,
          cure: `If clients need the same server at these ports: ${cure.charAt(0).toLowerCase()}${cure.slice(1)}`,
          fix: [],
        },
      ];
    }),
);

function exampleText(
  { client, bindings }: NonNullable<GroupClients["example"]>,
  services: readonly AddressService[],
): string {
  const places = bindings
    .toSorted(
      (a, b) => services.indexOf(a.service) - services.indexOf(b.service),
    )
    .map(
      ({ service, server }) =>
        `at ${formatAddress(server)} for ${serviceName(service)}`,
    );
  return `client ${formatAddress(client)} is ${places.join(" and ")}`;
}

/** Whether the services can choose different servers for a client. */
function maySplit(services: readonly AddressService[]): boolean {
  return services.some(
    (service) =>
      !choosesByClient(service) &&
      service.servers.filter(({ settings }) => settings.weight > 0).length > 1,
  );
}

const BY_ADDRESS: ReadonlySet<string> = new Set(["sh", "mh", "dh"]);

/** Whether each service with this scheduler chooses the same server for a client. */
function choosesByClient({ settings }: ServiceWithServers): boolean {
  const { scheduler, flags } = settings;
  return (
    BY_ADDRESS.has(scheduler) &&
    !schedulerFlagNames(scheduler, flags).some((name) => name.endsWith("-port"))
  );
}

/** More servers are not written out. */
const MOST_SERVERS = 8;

/** How to make the services one, in words with commands. Nobody wants such a change by accident, so it is no fix. */
function joined(
  services: readonly AddressService[],
  all: readonly ServiceWithServers[],
): string {
  const [first] = services;
  if (!first) return "";
  const { family, address } = first.key;
  const marks = new Set(
    all.flatMap(({ key }) => ("firewallMark" in key ? [key.firewallMark] : [])),
  );
  let firewallMark = 1;
  while (marks.has(firewallMark)) firewallMark++;
  const service: ServiceKey = { family, firewallMark };
  const settings = {
    ...first.settings,
    timeoutSeconds: Math.max(
      ...services.map((one) => one.settings.timeoutSeconds),
    ),
  };
  const add = [
    changeLine({ command: "add-service", service, settings }),
    ...first.servers.slice(0, MOST_SERVERS).map((server) =>
      changeLine({
        command: "add-server",
        service,
        server: { ...server.key, port: 0 },
        settings: server.settings,
      }),
    ),
  ].map((line) => `ipvsadm ${line}`);
  const more =
    first.servers.length > MOST_SERVERS
      ? " (and so on for each real server)"
      : "";
  const remove = services.map(
    ({ key }) =>
      `ipvsadm ${changeLine({ command: "delete-service", service: key })}`,
  );
  const mapped = services.some(({ key, servers }) =>
    servers.some((server) => server.key.port !== key.port),
  );
  const protocols = new Set(services.map(({ key }) => key.protocol));
  return [
    `Make them one service by firewall mark: "${[...add, ...markings(services, firewallMark)].join(" && ")}"${more}, with a mark that nothing else here uses.`,
    ...(mapped
      ? [
          "It does not change the port, so the real servers must listen at the ports that clients use.",
        ]
      : []),
    `New connections use this service, and persistence begins anew. When no connection of the old services is left, delete them: "${remove.join(" && ")}".`,
    ...(protocols.size === 1
      ? [
          `If all ${TRANSPORTS[first.key.protocol].toUpperCase()} ports of ${formatAddress(address)} go to these servers, one service with port 0 and persistence needs no mark.`,
        ]
      : []),
  ].join(" ");
}

/** The match multiport accepts no more. */
const MOST_PORTS = 15;

/** The rules that mark the packets of all the services. */
function markings(
  services: readonly AddressService[],
  firewallMark: number,
): string[] {
  const byProtocol = new Map<Protocol, number[]>();
  for (const { key } of services)
    byProtocol.set(key.protocol, [
      ...(byProtocol.get(key.protocol) ?? []),
      key.port,
    ]);
  const [first] = services;
  if (!first) return [];
  const program = first.key.family === INET6 ? "ip6tables" : "iptables";
  return Array.from(byProtocol).flatMap(([protocol, ports]) =>
    portMatches(ports).map(
      (ports) =>
        `${program} -t mangle -A PREROUTING -d ${formatAddress(first.key.address)} -p ${TRANSPORTS[protocol]}${ports} -j MARK --set-mark ${firewallMark}`,
    ),
  );
}

function portMatches(ports: readonly number[]): string[] {
  if (ports.includes(0)) return [""];
  if (ports.length === 1) return [` --dport ${ports.join()}`];
  const matches: string[] = [];
  for (let i = 0; i < ports.length; i += MOST_PORTS)
    matches.push(
      ` -m multiport --dports ${ports.slice(i, i + MOST_PORTS).join()}`,
    );
  return matches;
}
