import type { Sample, WatchedServer, WatchedService } from "./sampler.js";
import type { Row } from "./rows.js";

/** Names a row of the table: a service, or one of its servers. */
export interface RowName {
  readonly service: string;
  /** Undefined for the row of the service */
  readonly server: string | undefined;
}

export function nameOfRow({ service, server }: Row): RowName {
  return { service: service.name, server: server?.name };
}

/** The index of a row. Undefined if it is not shown. */
export function indexOfRow(
  rows: readonly Row[],
  name: RowName,
): number | undefined {
  const index = rows.findIndex(
    ({ service, server }) =>
      service.name === name.service && server?.name === name.server,
  );
  return index < 0 ? undefined : index;
}

/** The service or server with this name, even if the filter hides it. Undefined if it is not known any more. */
export function findRow(
  { services }: Pick<Sample, "services">,
  name: RowName,
): Row | undefined {
  const service: WatchedService | undefined = services.find(
    (one) => one.name === name.service,
  );
  if (!service || name.server === undefined) return service && { service };
  const server: WatchedServer | undefined = service.servers.find(
    (one) => one.name === name.server,
  );
  return server && { service, server };
}
