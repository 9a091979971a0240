import type { AssessedServer, AssessedService } from "../../ipvs/state.js";
import { sumConnections, type Totals } from "../../ipvs/totals.js";

/** A service in the listing. */
export interface ListedService {
  /** With all its servers */
  readonly service: AssessedService;
  /** The servers that the filters select */
  readonly servers: readonly AssessedServer[];
}

/** The counters, rates and connections of a row. */
export type Figures = Omit<Totals, "services" | "servers">;

/** A row for a service. Its connections are those of all its servers. */
export interface ServiceRow {
  readonly kind: "service";
  readonly listed: ListedService;
  readonly service: AssessedService;
  readonly figures: Figures;
}

/** A row for a real server. */
export interface ServerRow {
  readonly kind: "server";
  readonly service: AssessedService;
  readonly server: AssessedServer;
  readonly figures: Figures;
}

/** The last row. */
export interface TotalRow {
  readonly kind: "total";
  readonly figures: Figures;
}

export type Row = ServiceRow | ServerRow | TotalRow;

export function serviceRow(listed: ListedService): ServiceRow {
  const { service } = listed;
  const figures = { ...service.stats, ...sumConnections(service.servers) };
  return { kind: "service", listed, service, figures };
}

export function serverRow(
  service: AssessedService,
  server: AssessedServer,
): ServerRow {
  const figures = { ...server.stats, ...sumConnections([server]) };
  return { kind: "server", service, server, figures };
}

/** Each service with its servers below it. */
export function* rowsOf(
  listing: Iterable<ListedService>,
): Generator<ServiceRow | ServerRow> {
  for (const listed of listing) {
    yield serviceRow(listed);
    for (const server of listed.servers)
      yield serverRow(listed.service, server);
  }
}

/** Selects a value by the kind of a row. Undefined if there is none for that kind. */
export function byKind<T>(values: {
  readonly service?: (row: ServiceRow) => T;
  readonly server?: (row: ServerRow) => T;
  readonly total?: () => T;
}): (row: Row) => T | undefined {
  return (row) => {
    switch (row.kind) {
      case "service":
        return values.service?.(row);
      case "server":
        return values.server?.(row);
      case "total":
        return values.total?.();
    }
  };
}
