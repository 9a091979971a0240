import { setImmediate as otherEvents } from "node:timers/promises";
import { formatSelector } from "../../grammar/selector.js";
import {
  formatEndpoint,
  type ServerEntry,
  type ServiceEntry,
  type Stats,
} from "../../ipvs/model.js";
import { sortServers, sortServices } from "../../view/order.js";
import { History } from "./history.js";
import { changeOf, isFresh, type Change } from "./change-marks.js";
import {
  addRates,
  measured,
  rateOf,
  SPARKED,
  STANDSTILL,
  type Meter,
  type Rates,
} from "./rates.js";
import type { Reading } from "./read-table.js";

/** What is known of a service or a real server. */
export interface Watched<Entry> {
  readonly name: string;
  readonly key: ServiceEntry["key"] | ServerEntry["key"];
  readonly entry: Entry;
  /** Undefined until two readings can be compared */
  readonly rates: Rates | undefined;
  readonly history: History;
  /** The last change within a minute */
  readonly change: Change | undefined;
}

export type WatchedServer = Watched<ServerEntry>;

export interface WatchedService extends Watched<ServiceEntry> {
  /** In the order of listings, those that are gone among them */
  readonly servers: readonly WatchedServer[];
  /** The sum of its servers */
  readonly activeConnections: number;
}

/** One reading, compared with those before it. */
export interface Sample {
  /** In seconds of the clock */
  readonly at: number;
  readonly date: Date;
  /** Since the reading before; undefined for the first */
  readonly elapsedSeconds: number | undefined;
  /** How long reading took */
  readonly readingSeconds: number;
  /** In the order of listings, those that are gone among them */
  readonly services: readonly WatchedService[];
  readonly totals: Totals;
}

/** The sums over all services. */
export interface Totals {
  readonly services: number;
  readonly servers: number;
  readonly activeConnections: number;
  readonly rates: Rates | undefined;
  readonly history: History;
  /** How many services and servers changed within a minute */
  readonly appeared: number;
  readonly gone: number;
  readonly edited: number;
}

interface Tracked<Entry> extends Watched<Entry> {
  readonly meter: Meter;
  /** Of a service: its servers */
  readonly parts: Map<string, Tracked<ServerEntry>>;
}

/** How many services are compared in one go. */
const SERVICES_AT_A_TIME = 256;

/** Compares each reading with those before it. */
export class Sampler {
  #services = new Map<string, Tracked<ServiceEntry>>();
  readonly #history = new History();
  #before: number | undefined;

  /** Takes a reading in, all at once. */
  take(reading: Reading): Sample {
    const steps = this.#steps(reading);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /** The same, for a long table: between its chunks other events have their turn. */
  async takeInTurns(reading: Reading): Promise<Sample> {
    const steps = this.#steps(reading);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      await otherEvents();
    }
  }

  *#steps(reading: Reading): Generator<undefined, Sample> {
    const { at } = reading;
    const first = this.#before === undefined;
    const found = new Map<string, Tracked<ServiceEntry>>();
    for (const { servers, ...entry } of reading.services) {
      const name = formatSelector(entry.key);
      const known = this.#services.get(name);
      const isNew = !known || known.change?.kind === "gone";
      const tracked = follow(known, name, entry, at, first);
      const parts = new Map<string, Tracked<ServerEntry>>();
      for (const server of servers) {
        const { key } = server;
        const label = formatEndpoint(key.address, key.port);
        // What comes with a new service is told by the service.
        parts.set(
          label,
          follow(known?.parts.get(label), label, server, at, first || isNew),
        );
      }
      keepGone(known?.parts, parts, at);
      found.set(name, { ...tracked, parts });
      if (found.size % SERVICES_AT_A_TIME === 0) yield;
    }
    keepGone(this.#services, found, at);
    const elapsedSeconds =
      this.#before === undefined ? undefined : at - this.#before;
    this.#services = found;
    this.#before = at;
    const services = sortServices([...found.values()].map(inOrder)).map(
      ({ watched }) => watched,
    );
    return {
      at,
      date: reading.date,
      elapsedSeconds,
      readingSeconds: reading.seconds,
      services,
      totals: this.#totals(services, at),
    };
  }

  #totals(services: readonly WatchedService[], at: number): Totals {
    const known = services.filter(({ rates }) => rates !== undefined);
    const rates =
      known.length === 0 && services.length > 0
        ? undefined
        : known.reduce(
            (sum, service) => addRates(sum, service.rates ?? STANDSTILL),
            STANDSTILL,
          );
    this.#history.record(at, sparkedOf(rates));
    const all = [...services, ...services.flatMap(({ servers }) => servers)];
    const count = (wanted: (kind: string | undefined) => boolean) =>
      all.filter(({ change }) => wanted(change?.kind)).length;
    const there = services.filter(isThere);
    return {
      services: there.length,
      servers: there.reduce(
        (sum, { servers }) => sum + servers.filter(isThere).length,
        0,
      ),
      activeConnections: there.reduce(
        (sum, { activeConnections }) => sum + activeConnections,
        0,
      ),
      rates,
      history: this.#history,
      appeared: count((kind) => kind === "new"),
      gone: count((kind) => kind === "gone"),
      edited: count((kind) => kind === "was"),
    };
  }
}

/** Whether something still is in the table. */
export function isThere({ change }: Watched<unknown>): boolean {
  return change?.kind !== "gone";
}

/** Compares a service, or a server, with what was known of it. @param quiet that it is there is no news */
function follow<Entry extends ServiceEntry | ServerEntry>(
  known: Tracked<Entry> | undefined,
  name: string,
  entry: Entry,
  at: number,
  quiet: boolean,
): Tracked<Entry> {
  const before = known && isThere(known) ? known : undefined;
  const stats: Stats = entry.stats;
  const meter = measured(before?.meter, stats, at);
  const history = known?.history ?? new History();
  history.record(at, sparkedOf(meter.rates));
  const change =
    before || !quiet ? changeOf(before?.entry, entry, at) : undefined;
  const earlier = isFresh(before?.change, at) ? before?.change : undefined;
  return {
    name,
    key: entry.key,
    entry,
    rates: meter.rates,
    history,
    change: change ?? earlier,
    meter,
    parts: new Map(),
  };
}

/** What is no longer found stays for a minute, marked; of a service, itself alone. */
function keepGone<Entry>(
  before: ReadonlyMap<string, Tracked<Entry>> | undefined,
  found: Map<string, Tracked<Entry>>,
  at: number,
): void {
  for (const [name, known] of before ?? []) {
    if (found.has(name)) continue;
    const change: Change =
      known.change?.kind === "gone" ? known.change : { kind: "gone", at };
    if (!isFresh(change, at)) continue;
    found.set(name, { ...known, change, rates: undefined, parts: new Map() });
  }
}

function sparkedOf(rates: Rates | undefined): number[] {
  return SPARKED.map((kind) => (rates ? rateOf(rates, kind) : NaN));
}

/** A service for whoever looks, its servers in order; with its key, to be sorted by. */
function inOrder(service: Tracked<ServiceEntry>) {
  const { name, entry, rates, history, change, parts } = service;
  const labels = new Map<ServerEntry, Tracked<ServerEntry>>();
  for (const part of parts.values()) labels.set(part.entry, part);
  const servers = sortServers([...labels.keys()]).flatMap(
    (server) => labels.get(server) ?? [],
  );
  const watched: WatchedService = {
    name,
    key: entry.key,
    entry,
    rates,
    history,
    change,
    servers,
    activeConnections: servers
      .filter(isThere)
      .reduce((sum, server) => sum + server.entry.activeConnections, 0),
  };
  return { key: entry.key, watched };
}
