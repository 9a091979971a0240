import { formatAddress } from "../../../ipvs/address.js";
import type { ServiceWithServers } from "../../../ipvs/model.js";
import { schedulerFlagNames } from "../../../ipvs/scheduler-flags.js";
import { check } from "../../check.js";
import { ofService, serviceName } from "../../commands.js";
import type { Finding } from "../../finding.js";
import type { AddressService, GroupClients } from "../../persistence-groups.js";
import { joinByMark } from "../marks/join-services.js";

type Id = "persistence-split" | "persistence-per-port";

/** If so many clients use several services, and none is split, something keeps them together. */
const ENOUGH_CLIENTS = 10;

/** Services that belong together, perhaps, and are each persistent by themselves. */
export const separatePersistence = check(
  ["persistence-split", "persistence-per-port"],
  ["table", "allServices", "groupClients", "firewall"],
  ({ groupClients, allServices, firewall, network }) =>
    groupClients.flatMap((group): Finding<Id>[] => {
      const { services, several, split, example } = group;
      const [first, ...others] = services;
      if (!first) return [];
      const verb =
        others.length === 1
          ? "has the same real servers"
          : "have the same real servers";
      const apart = `${others.map(serviceName).join(", ")} ${verb} and persistence of ${others.length === 1 ? "its" : "their"} own`;
      const procedure = joinByMark(
        services,
        allServices,
        firewall,
        network?.rules,
      );
      // Templates of the old services are left for a while.
      if (procedure === undefined) return [];
      if (example)
        return [
          {
            id: "persistence-split",
            ...ofService(first),
            seen: `${apart}: ${split} of ${several} ${several === 1 ? "client that uses several of these services is at different servers" : "clients that use several of these services are at different servers"}`,
            evidence: [exampleText(example, services)],
            procedure,
            fix: [],
          },
        ];
      if (several >= ENOUGH_CLIENTS || !maySplit(services)) return [];
      return [
        {
          id: "persistence-per-port",
          ...ofService(first),
          seen: `${apart}: a client can be at different servers`,
          procedure: [
            "This is needed only if clients need the same server at these ports.",
            ...procedure,
          ],
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
