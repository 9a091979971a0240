import {
  SLOT_SECONDS,
  SLOTS,
  type Figures,
  type HistoryDocument,
  type HistoryRow,
} from "./events.js";
import type { RowNode } from "./row-node.js";
import type { Sums } from "./table-model.js";

/** The rates of a row over the last quarter of an hour, oldest first. NaN: unknown. */
export interface History {
  readonly connections: readonly number[];
  readonly inBytes: readonly number[];
  readonly outBytes: readonly number[];
  /** The first slot that is drawn: before it, the server knows nothing of any row */
  readonly from: number;
}

interface Kept {
  readonly kinds: [number[], number[], number[]];
  lastSlot: number;
  /** The readings in the last slot */
  count: number;
  usedAt: number;
}

/** How many histories are kept, and asked for at once. */
const MOST_KEPT = 400;
const MOST_ASKED = 100;
/** The shortest time that is drawn: two minutes */
const FEWEST_DRAWN = 24;
const PATIENCE_MILLISECONDS = 120;

/** Fetches the histories of the rows that are shown, and continues them with each reading. */
export class Histories {
  readonly #kept = new Map<string, Kept>();
  readonly #asked = new Set<string>();
  readonly #changed: () => void;
  #wanted: readonly RowNode[] = [];
  #timer: number | undefined;
  /** The first slot in which a rate is known, and the latest one */
  #firstSlot = Infinity;
  #lastSlot = 0;
  /** The time of the last reading, in milliseconds */
  #lastTime = 0;

  /** @param changed is called when histories have arrived */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** The history of a row, if it is known. */
  of(key: string): History | undefined {
    const kept = this.#kept.get(key);
    if (!kept) return undefined;
    kept.usedAt = performance.now();
    const [connections, inBytes, outBytes] = kept.kinds;
    return { connections, inBytes, outBytes, from: this.from };
  }

  /** The first slot that is drawn. */
  get from(): number {
    const drawn = Math.max(this.#lastSlot - this.#firstSlot + 1, FEWEST_DRAWN);
    return Math.max(SLOTS - drawn, 0);
  }

  /** The time of the last slot, in seconds. */
  lastSecond(key: string): number {
    return (this.#kept.get(key)?.lastSlot ?? 0) * SLOT_SECONDS;
  }

  /** Fetches what is missing, soon: while somebody scrolls, rows come and go. */
  want(rows: readonly RowNode[]): void {
    this.#wanted = rows;
    window.clearTimeout(this.#timer);
    if (rows.every(({ key }) => this.#kept.has(key) || this.#asked.has(key)))
      return;
    this.#timer = window.setTimeout(
      () => void this.#fetch(),
      PATIENCE_MILLISECONDS,
    );
  }

  /** Continues all histories with a reading. */
  add(time: number, sumsOf: (key: string) => Sums | Figures | undefined): void {
    const slot = Math.floor(time / (SLOT_SECONDS * 1000));
    if (time < this.#lastTime) this.clear(); // Somebody has set the server's clock back.
    this.#lastTime = time;
    this.#lastSlot = Math.max(slot, this.#lastSlot);
    for (const [key, kept] of this.#kept) {
      const found = sumsOf(key);
      if (found) append(kept, slot, ratesOf(found));
    }
  }

  /** Forgets everything: after a broken connection, slots are missing. */
  clear(): void {
    this.#kept.clear();
    this.#asked.clear();
    this.#firstSlot = Infinity;
    this.#lastSlot = 0;
    this.#lastTime = 0;
  }

  async #fetch(): Promise<void> {
    const missing = this.#wanted
      .filter(({ key }) => !this.#kept.has(key) && !this.#asked.has(key))
      .slice(0, MOST_ASKED);
    for (const { key } of missing) this.#asked.add(key);
    const services = new URLSearchParams();
    const withServers = new URLSearchParams();
    const parents = new Set<string>();
    for (const node of missing)
      if (node.kind === "service") services.append("service", node.key);
      else if (node.kind === "machine")
        services.append("machine", node.address);
      else parents.add(node.server.service.key);
    for (const parent of parents) withServers.append("service", parent);
    withServers.append("servers", "1");
    try {
      await Promise.all([
        services.size > 0 && this.#load(services),
        parents.size > 0 && this.#load(withServers),
      ]);
      this.#changed();
    } catch {
      // The connection shows that the server is gone. The next reading tries again.
    } finally {
      for (const { key } of missing) this.#asked.delete(key);
    }
  }

  async #load(query: URLSearchParams): Promise<void> {
    const response = await fetch(`api/v1/history?${query.toString()}`);
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { rows, time } = (await response.json()) as HistoryDocument;
    const lastSlot = Math.round(Date.parse(time) / 1000 / SLOT_SECONDS);
    this.#lastSlot = Math.max(lastSlot, this.#lastSlot);
    for (const row of rows) {
      const first = row.inBytesPerSecond.findIndex((rate) => rate !== null);
      if (first >= 0)
        this.#firstSlot = Math.min(
          this.#firstSlot,
          lastSlot - (SLOTS - 1) + first,
        );
      this.#kept.set(keyOf(row), {
        kinds: [
          row.connectionsPerSecond.map(known),
          row.inBytesPerSecond.map(known),
          row.outBytesPerSecond.map(known),
        ],
        lastSlot,
        count: 1,
        usedAt: performance.now(),
      });
    }
    this.#evict();
  }

  #evict(): void {
    if (this.#kept.size <= MOST_KEPT) return;
    const oldest = [...this.#kept].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    for (const [key] of oldest.slice(0, this.#kept.size - MOST_KEPT))
      this.#kept.delete(key);
  }
}

function keyOf({ service, server, machine }: HistoryRow): string {
  if (machine !== undefined) return `machine ${machine}`;
  const name = service ?? "";
  return server === undefined ? name : `${name} ${server}`;
}

function known(value: number | null): number {
  return value ?? NaN;
}

function ratesOf(found: Sums | Figures): readonly number[] {
  return "active" in found
    ? [
        known(found.connectionsPerSecond),
        known(found.inBytesPerSecond),
        known(found.outBytesPerSecond),
      ]
    : [known(found[4]), known(found[5]), known(found[6])];
}

function append(kept: Kept, slot: number, rates: readonly number[]): void {
  const steps = Math.min(Math.max(slot - kept.lastSlot, 0), SLOTS);
  kept.count = steps > 0 ? 1 : kept.count + 1;
  kept.lastSlot = Math.max(slot, kept.lastSlot);
  kept.kinds.forEach((values, kind) => {
    const rate = rates[kind] ?? NaN;
    if (steps === 0) {
      const before = values[SLOTS - 1] ?? NaN;
      values[SLOTS - 1] = Number.isNaN(before)
        ? rate
        : before + (rate - before) / kept.count;
      return;
    }
    for (let i = 0; i < steps; i++) values.push(rate);
    values.splice(0, values.length - SLOTS);
  });
}
