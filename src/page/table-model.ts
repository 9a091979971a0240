import { keyOfChange } from "./change-text.js";
import type {
  ChangeRow,
  Figures,
  ServerRow,
  ServiceRow,
  TableEvent,
  UpdateEvent,
} from "./events.js";

/** A real server of a service. */
export interface Server {
  readonly key: string;
  readonly service: Service;
  readonly row: ServerRow;
}

/** A service with its servers, in natural order. */
export interface Service {
  readonly key: string;
  readonly row: ServiceRow;
  readonly servers: readonly Server[];
}

/** Sums of figures. A rate is null if none is known. */
export interface Sums {
  active: number;
  inactive: number;
  persistent: number;
  connectionsPerSecond: number | null;
  inBytesPerSecond: number | null;
  outBytesPerSecond: number | null;
}

/** The order of names: 10.2 before 10.10 */
export const NATURAL = new Intl.Collator("en", { numeric: true });

/** How long a change is marked in the table. */
export const MARK_MILLISECONDS = 5 * 60_000;
const MOST_CHANGES = 500;

/** The table as the server last reported it. */
export class TableModel {
  /** In natural order of their names */
  services: readonly Service[] = [];
  changes: readonly ChangeRow[] = [];
  host = "";
  intervalSeconds = 2;
  /** When the figures were read, by the clock of the server */
  time: number | undefined;
  /** Grows when services, servers or their settings change */
  version = 0;
  readonly #figures = new Map<number, Figures>();
  #byId = new Map<number, Service>();
  #marks = new Map<string, ChangeRow>();

  /** Takes the whole table. */
  take(event: TableEvent): void {
    this.host = event.host;
    this.intervalSeconds = event.intervalSeconds;
    this.time = Date.parse(event.time);
    this.#byId = new Map();
    for (const row of event.services) this.#byId.set(row.id, serviceOf(row));
    this.#figures.clear();
    for (const figures of event.figures) this.#figures.set(figures[0], figures);
    this.changes = event.changes;
    this.#marks = new Map(
      event.changes.map((change) => [keyOfChange(change), change]),
    );
    this.#arrange();
  }

  /** Takes what a reading changed. */
  update(event: UpdateEvent): void {
    const { services = [], removed = [], figures = [], changes = [] } = event;
    this.time = Date.parse(event.time);
    for (const id of removed) this.#forget(id);
    for (const row of services) {
      const kept = new Set(row.servers.map(({ id }) => id));
      for (const { row: old } of this.#byId.get(row.id)?.servers ?? [])
        if (!kept.has(old.id)) this.#figures.delete(old.id);
      this.#byId.set(row.id, serviceOf(row));
    }
    for (const one of figures) this.#figures.set(one[0], one);
    if (changes.length > 0) {
      this.changes = [...this.changes, ...changes].slice(-MOST_CHANGES);
      for (const change of changes)
        this.#marks.set(keyOfChange(change), change);
    }
    if (services.length + removed.length > 0) this.#arrange();
  }

  /** The figures of a service or a server. */
  figures(id: number): Figures | undefined {
    return this.#figures.get(id);
  }

  /** The latest change of a service or a server, if it is recent. */
  markOf(key: string): ChangeRow | undefined {
    const found = this.#marks.get(key);
    if (!found) return undefined;
    const passed = (this.time ?? 0) - Date.parse(found.time);
    return passed < MARK_MILLISECONDS ? found : undefined;
  }

  /** Adds up services or servers. */
  sums(ids: Iterable<number>): Sums {
    const sums: Sums = {
      active: 0,
      inactive: 0,
      persistent: 0,
      connectionsPerSecond: null,
      inBytesPerSecond: null,
      outBytesPerSecond: null,
    };
    for (const id of ids) {
      const figures = this.#figures.get(id);
      if (!figures) continue;
      sums.active += figures[1];
      sums.inactive += figures[2];
      sums.persistent += figures[3];
      sums.connectionsPerSecond = plus(sums.connectionsPerSecond, figures[4]);
      sums.inBytesPerSecond = plus(sums.inBytesPerSecond, figures[5]);
      sums.outBytesPerSecond = plus(sums.outBytesPerSecond, figures[6]);
    }
    return sums;
  }

  #forget(id: number): void {
    for (const { row } of this.#byId.get(id)?.servers ?? [])
      this.#figures.delete(row.id);
    this.#figures.delete(id);
    this.#byId.delete(id);
  }

  #arrange(): void {
    this.services = [...this.#byId.values()].sort((a, b) =>
      NATURAL.compare(a.key, b.key),
    );
    this.version++;
  }
}

function plus(a: number | null, b: number | null): number | null {
  if (a === null) return b;
  return b === null ? a : a + b;
}

function serviceOf(row: ServiceRow): Service {
  const servers: Server[] = [];
  const service: Service = { key: row.service, row, servers };
  for (const server of row.servers)
    servers.push({
      key: `${row.service} ${server.server}`,
      service,
      row: server,
    });
  servers.sort((a, b) => NATURAL.compare(a.row.server, b.row.server));
  return service;
}
