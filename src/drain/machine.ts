import { sameAddress, type Address } from "../ipvs/address.js";
import type { ServiceWithServers } from "../ipvs/model.js";
import type { ServerInTable } from "./server-in-table.js";

/** Finds each service that has a machine as a real server, at any port. */
export function serversOfMachine(
  table: readonly ServiceWithServers[],
  address: Address,
): ServerInTable[] {
  return table.flatMap((service) =>
    service.servers
      .filter(({ key }) => sameAddress(key.address, address))
      .map((server) => ({ service, server })),
  );
}
