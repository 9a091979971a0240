import { formatSelector } from "../../grammar/selector.js";
import {
  formatEndpoint,
  type ServerEntry,
  type ServiceEntry,
  type Stats,
} from "../../ipvs/model.js";
import {
  serverState,
  serviceState,
  type ServerState,
  type ServiceState,
} from "../../ipvs/state.js";
import { sortServers, sortServices } from "../../view/order.js";
import { History } from "./history.js";
import { changeOf, isFresh, type Change } from "./changes.js";
import {
  addRates,
  measure,
  rateOf,
  HISTORY_RATES,
  ZERO_RATES,
  type Meter,
  type Rates,
} from "./rates.js";
import type { Reading } from "./read-table.js";
import { nextEventLoopTurn } from "../../system/event-loop.js";

/** A service or a real server over several readings. */
export interface Watched<Entry> {
  readonly name: string;
  readonly key: ServiceEntry["key"] | ServerEntry["key"];
  readonly entry: Entry;
  /** Undefined until there are two readings */
  readonly rates: Rates | undefined;
  readonly history: History;
  /** The last change, if it is at most a minute ago */
  readonly change: Change | undefined;
}

export interface WatchedServer extends Watched<ServerEntry> {
  readonly state: ServerState;
}

export interface WatchedService extends Watched<ServiceEntry> {
  readonly state: ServiceState;
  /** In listing order, including those that are gone */
  readonly servers: readonly WatchedServer[];
  /** The sum over its servers */
  readonly activeConnections: number;
}

/** A reading, compared with those before it. */
export interface Sample {
  /** In seconds of the clock */
  readonly at: number;
  readonly date: Date;
  /** The time since the last reading. Undefined for the first one */
  readonly elapsedSeconds: number | undefined;
  /** How long reading took */
  readonly readingSeconds: number;
  /** In listing order, including those that are gone */
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
  /** How many services and servers changed in the last minute */
  readonly appeared: number;
  readonly gone: number;
  readonly edited: number;
}

interface Tracked<Entry> extends Watched<Entry> {
  readonly meter: Meter;
  /** The servers of a service */
  readonly children: Map<string, Tracked<ServerEntry>>;
}

/** How many services are compared before other events are handled. */
const CHUNK_SERVICES = 256;

/** Compares each reading with those before it. */
export class Sampler {
  #services = new Map<string, Tracked<ServiceEntry>>();
  readonly #history = new History();
  #before: number | undefined;

  /** Takes a reading. */
  take(reading: Reading): Sample {
    const steps = this.#steps(reading);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /** Takes a reading of a long table: between chunks, other events are handled. */
  async takeInChunks(reading: Reading): Promise<Sample> {
    const steps = this.#steps(reading);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      await nextEventLoopTurn();
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
      const tracked = track(known, name, entry, at, first);
      const children = new Map<string, Tracked<ServerEntry>>();
      for (const server of servers) {
        const { key } = server;
        const label = formatEndpoint(key.address, key.port);
        // Only the service is marked as new, not its servers.
        children.set(
          label,
          track(known?.children.get(label), label, server, at, first || isNew),
        );
      }
      keepRemoved(known?.children, children, at);
      found.set(name, { ...tracked, children });
      if (found.size % CHUNK_SERVICES === 0) yield;
    }
    keepRemoved(this.#services, found, at);
    const elapsedSeconds =
      this.#before === undefined ? undefined : at - this.#before;
    this.#services = found;
    this.#before = at;
    const services = sortServices([...found.values()].map(toWatched)).map(
      ({ watched }) => watched,
    );
    return {
      at,
      date: reading.date,
      elapsedSeconds,
      readingSeconds: reading.durationSeconds,
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
            (sum, service) => addRates(sum, service.rates ?? ZERO_RATES),
            ZERO_RATES,
          );
    this.#history.record(at, historyValues(rates));
    const all = [...services, ...services.flatMap(({ servers }) => servers)];
    const count = (kind: Change["kind"]) =>
      all.filter(({ change }) => change?.kind === kind).length;
    const present = services.filter(isPresent);
    return {
      services: present.length,
      servers: present.reduce(
        (sum, { servers }) => sum + servers.filter(isPresent).length,
        0,
      ),
      activeConnections: present.reduce(
        (sum, { activeConnections }) => sum + activeConnections,
        0,
      ),
      rates,
      history: this.#history,
      appeared: count("new"),
      gone: count("gone"),
      edited: count("edited"),
    };
  }
}

/** Whether a service or server is still in the table. */
export function isPresent({ change }: Watched<unknown>): boolean {
  return change?.kind !== "gone";
}

/** Compares a service or a server with the last reading. @param quiet do not mark it as new */
function track<Entry extends ServiceEntry | ServerEntry>(
  known: Tracked<Entry> | undefined,
  name: string,
  entry: Entry,
  at: number,
  quiet: boolean,
): Tracked<Entry> {
  const before = known && isPresent(known) ? known : undefined;
  const stats: Stats = entry.stats;
  const meter = measure(before?.meter, stats, at);
  const history = known?.history ?? new History();
  history.record(at, historyValues(meter.rates));
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
    children: new Map(),
  };
}

/** Keeps services or servers that were removed for a minute, marked as gone. A service that is gone is kept without servers. */
function keepRemoved<Entry>(
  before: ReadonlyMap<string, Tracked<Entry>> | undefined,
  found: Map<string, Tracked<Entry>>,
  at: number,
): void {
  for (const [name, known] of before ?? []) {
    if (found.has(name)) continue;
    const change: Change =
      known.change?.kind === "gone" ? known.change : { kind: "gone", at };
    if (!isFresh(change, at)) continue;
    found.set(name, {
      ...known,
      change,
      rates: undefined,
      children: new Map(),
    });
  }
}

function historyValues(rates: Rates | undefined): number[] {
  return HISTORY_RATES.map((kind) => (rates ? rateOf(rates, kind) : NaN));
}

/** A service with its servers in listing order, and its key to sort by. */
function toWatched(service: Tracked<ServiceEntry>) {
  const { name, entry, rates, history, change, children } = service;
  const labels = new Map<ServerEntry, Tracked<ServerEntry>>();
  for (const child of children.values()) labels.set(child.entry, child);
  const servers = sortServers([...labels.keys()]).flatMap((server) => {
    const found = labels.get(server);
    return found ? [{ ...found, state: serverState(server) }] : [];
  });
  const present = servers.filter(isPresent);
  const watched: WatchedService = {
    name,
    key: entry.key,
    entry,
    rates,
    history,
    change,
    state: serviceState(present.map(({ state }) => state)),
    servers,
    activeConnections: present.reduce(
      (sum, server) => sum + server.entry.activeConnections,
      0,
    ),
  };
  return { key: entry.key, watched };
}
