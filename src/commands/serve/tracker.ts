import { FORWARDING } from "../../document/enum-names.js";
import { settingsMembers } from "../../document/write-table.js";
import { formatSelector } from "../../grammar/selector.js";
import { formatAddress } from "../../ipvs/address.js";
import { formatEndpoint } from "../../ipvs/model.js";
import type { AssessedServer, AssessedService } from "../../ipvs/state.js";
import { sumConnections, type ConnectionCounts } from "../../ipvs/totals.js";
import type { Figures, ServerRow, ServiceRow } from "../../page/events.js";
import { measure, type Meter } from "../watch/rates.js";
import { RateHistory, slotAt, type HistoryValues } from "./rate-history.js";

/** When a table was read. */
export interface Moment {
  readonly date: Date;
  /** The seconds of a clock that nobody sets, for rates */
  readonly seconds: number;
}

/** A real server over several readings. */
interface TrackedServer {
  readonly row: ServerRow;
  readonly meter: Meter;
  readonly history: RateHistory;
  readonly figures: Figures;
}

/** A service over several readings. */
interface TrackedService {
  readonly row: ServiceRow;
  /** The row as text, to see whether it changed */
  readonly text: string;
  readonly meter: Meter;
  readonly history: RateHistory;
  readonly figures: Figures;
  readonly servers: ReadonlyMap<string, TrackedServer>;
}

/** What a reading changed. */
export interface Difference {
  readonly services: readonly ServiceRow[];
  readonly removed: readonly number[];
  readonly figures: readonly Figures[];
}

/** Compares each reading with the one before: rows, rates, histories. */
export class Tracker {
  #services: ReadonlyMap<string, TrackedService> = new Map();
  #ids = 0;

  /** Takes a reading. */
  take(table: readonly AssessedService[], moment: Moment): Difference {
    const services: ServiceRow[] = [];
    const figures: Figures[] = [];
    const found = new Map<string, TrackedService>();
    for (const entry of table) {
      const name = formatSelector(entry.key);
      const before = this.#services.get(name);
      const tracked = this.#track(name, entry, before, moment);
      found.set(name, tracked);
      if (before?.text !== tracked.text) services.push(tracked.row);
      for (const { old, now } of pairs(before, tracked))
        if (!old || differ(old, now)) figures.push(now);
    }
    const removed: number[] = [];
    for (const [name, { row }] of this.#services)
      if (!found.has(name)) removed.push(row.id);
    this.#services = found;
    return { services, removed, figures };
  }

  /** All services, in the order of the kernel. */
  get rows(): ServiceRow[] {
    return Array.from(this.#services.values(), ({ row }) => row);
  }

  /** The latest figures of all services and servers. */
  get figures(): Figures[] {
    const all: Figures[] = [];
    for (const { figures, servers } of this.#services.values()) {
      all.push(figures);
      for (const server of servers.values()) all.push(server.figures);
    }
    return all;
  }

  /** The history of a service, and of its servers by their names. */
  historyOf(
    service: string,
  ):
    | { history: RateHistory; servers: ReadonlyMap<string, RateHistory> }
    | undefined {
    const found = this.#services.get(service);
    if (!found) return undefined;
    const servers = Array.from(
      found.servers,
      ([name, { history }]) => [name, history] as const,
    );
    return { history: found.history, servers: new Map(servers) };
  }

  /** The histories of all servers with an address. */
  historiesAt(address: string): RateHistory[] {
    return [...this.#services.values()].flatMap(({ servers }) =>
      [...servers.values()]
        .filter(({ row }) => row.address === address)
        .map(({ history }) => history),
    );
  }

  #track(
    name: string,
    entry: AssessedService,
    before: TrackedService | undefined,
    moment: Moment,
  ): TrackedService {
    const servers = new Map<string, TrackedServer>();
    for (const server of entry.servers) {
      const label = formatEndpoint(server.key.address, server.key.port);
      const known = before?.servers.get(label);
      servers.set(label, this.#trackServer(label, server, known, moment));
    }
    const id = before?.row.id ?? this.#ids++;
    const row = serviceRow(id, name, entry, [...servers.values()]);
    const meter = measure(before?.meter, entry.stats, moment.seconds);
    const history = recorded(before?.history, meter, moment);
    const figures = figuresOf(id, sumConnections(entry.servers), meter);
    const text = JSON.stringify(row);
    return { row, text, meter, history, figures, servers };
  }

  #trackServer(
    label: string,
    entry: AssessedServer,
    before: TrackedServer | undefined,
    moment: Moment,
  ): TrackedServer {
    const id = before?.row.id ?? this.#ids++;
    const meter = measure(before?.meter, entry.stats, moment.seconds);
    return {
      row: serverRow(id, label, entry),
      meter,
      history: recorded(before?.history, meter, moment),
      figures: figuresOf(id, entry, meter),
    };
  }
}

function serviceRow(
  id: number,
  service: string,
  { settings, state, effectiveWeight }: AssessedService,
  servers: readonly TrackedServer[],
): ServiceRow {
  return {
    id,
    service,
    state,
    ...(settingsMembers(settings) as Pick<ServiceRow, "scheduler">),
    effectiveWeight,
    servers: servers.map(({ row }) => row),
  };
}

function serverRow(
  id: number,
  server: string,
  { key, settings, state, share }: AssessedServer,
): ServerRow {
  const { weight, upperThreshold, lowerThreshold, forwarding } = settings;
  return {
    id,
    server,
    address: formatAddress(key.address),
    state,
    forwarding: FORWARDING.word(forwarding) ?? forwarding,
    weight,
    share: Math.round(share * 1e4) / 1e4,
    ...(upperThreshold !== 0 && { upperThreshold }),
    ...(lowerThreshold !== 0 && { lowerThreshold }),
  };
}

function figuresOf(
  id: number,
  connections: ConnectionCounts,
  { rates }: Meter,
): Figures {
  const rounded = (value: number | undefined, unit: number) =>
    value === undefined ? null : Math.round(value * unit) / unit;
  return [
    id,
    connections.activeConnections,
    connections.inactiveConnections,
    connections.persistentConnections,
    rounded(rates?.connections, 100),
    rounded(rates?.inBytes, 1),
    rounded(rates?.outBytes, 1),
  ];
}

function recorded(
  known: RateHistory | undefined,
  { rates }: Meter,
  { date }: Moment,
): RateHistory {
  const history = known ?? new RateHistory();
  const values: HistoryValues | undefined = rates && [
    rates.connections,
    rates.inBytes,
    rates.outBytes,
  ];
  history.record(slotAt(date.getTime()), values);
  return history;
}

/** The figures of a service and its servers, before and now. */
function* pairs(
  before: TrackedService | undefined,
  now: TrackedService,
): Generator<{ old: Figures | undefined; now: Figures }> {
  yield { old: before?.figures, now: now.figures };
  for (const [name, { figures }] of now.servers)
    yield { old: before?.servers.get(name)?.figures, now: figures };
}

function differ(a: Figures, b: Figures): boolean {
  return a.some((value, i) => value !== b[i]);
}
