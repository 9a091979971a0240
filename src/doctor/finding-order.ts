import type { ServiceWithServers } from "../ipvs/model.js";
import { sortServers, sortServices } from "../view/order.js";
import { serverName, serviceName } from "./commands.js";
import type { Finding } from "./finding.js";

/** A table in the order of a listing. The kernel's own order depends on its hash. */
export function sortTable(
  table: readonly ServiceWithServers[],
): ServiceWithServers[] {
  return sortServices(table).map((service) => ({
    ...service,
    servers: sortServers(service.servers),
  }));
}

/**
 * Sorts findings by their subject: the machine itself, then services with their real servers as in a listing, then
 * the rest by name, numbers by their value. Findings with the same subject keep their order.
 */
export function sortFindings<Id extends string>(
  findings: readonly Finding<Id>[],
  table: readonly ServiceWithServers[],
): Finding<Id>[] {
  const names = sortTable(table).flatMap((service) => [
    serviceName(service),
    ...service.servers.map((server) => serverName(service, server)),
  ]);
  const places = new Map(names.map((name, place) => [name, place]));
  const { compare } = new Intl.Collator("en", { numeric: true });
  const placeOf = ({ subject }: Finding) =>
    subject === undefined ? -1 : (places.get(subject) ?? names.length);
  return findings.toSorted(
    (a, b) =>
      placeOf(a) - placeOf(b) || compare(a.subject ?? "", b.subject ?? ""),
  );
}
