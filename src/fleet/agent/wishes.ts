import type { WatchEvent, WatchTarget } from "../../store/store.js";
import { readDrain, type Drain } from "../drain.js";
import { NO_ORDER, readOrder, wantedRevision, type Order } from "../order.js";
import { readHead, type Head } from "../revision.js";
import type { AgentEnvironment, AgentSettings } from "./agent-environment.js";
import type { DiskCopy } from "./disk-copy.js";

/** What the store wants of a director: the pointer of its table, its order and the drains. */
export class Wishes {
  readonly #settings: Pick<AgentSettings, "director" | "table">;
  readonly #environment: Pick<AgentEnvironment, "store" | "keys">;
  readonly #logFault: (error: unknown) => void;
  #head: Head | undefined;
  #headMissing = false;
  #order: Order;
  #drains: ReadonlyMap<string, Drain>;

  /**
   * @param copy what is known until the store answers
   * @param logFault logs that a record is malformed
   */
  constructor(
    settings: Pick<AgentSettings, "director" | "table">,
    environment: Pick<AgentEnvironment, "store" | "keys">,
    copy: Pick<DiskCopy, "drains" | "paused">,
    logFault: (error: unknown) => void,
  ) {
    this.#settings = settings;
    this.#environment = environment;
    this.#logFault = logFault;
    this.#order = { ...NO_ORDER, paused: copy.paused };
    this.#drains = new Map(copy.drains.map((one) => [one.id, one]));
  }

  /** Whether a pointer was read. */
  get hasHead(): boolean {
    return this.#head !== undefined;
  }

  /** Whether the pointer was deleted, perhaps with all other keys: nothing is changed until it is there again. */
  get headMissing(): boolean {
    return this.#headMissing;
  }

  /** What an operator or a rollout orders. */
  get order(): Order {
    return this.#order;
  }

  /** By their IDs. A change makes a new map. */
  get drains(): ReadonlyMap<string, Drain> {
    return this.#drains;
  }

  /** The revision to apply; undefined if there is none. */
  get revision(): number | undefined {
    return wantedRevision(this.#settings.table, this.#head, this.#order);
  }

  /** What the store must report. */
  get targets(): WatchTarget[] {
    const { keys } = this.#environment;
    const { table, director } = this.#settings;
    return [
      { key: keys.head(table) },
      { key: keys.order(director) },
      { prefix: keys.drains },
    ];
  }

  /** Reads what the store wants. @returns the revision of the store @throws {StoreError} */
  async read(signal: AbortSignal): Promise<bigint> {
    const { store, keys } = this.#environment;
    const { table, director } = this.#settings;
    // The earliest revision: a watch from there misses nothing.
    const head = await store.get(keys.head(table), { signal });
    const order = await store.get(keys.order(director), { signal });
    const found = await store.range(keys.drains, { signal });
    this.take([{ key: keys.head(table), value: head.found }]);
    if (head.found) {
      this.take([{ key: keys.order(director), value: order.found }]);
      this.#drains = new Map();
      this.take(found.found.map((value) => ({ key: value.key, value })));
    }
    return head.revision;
  }

  /** Takes over changes of the store. A malformed record is logged, and changes nothing. */
  take(events: readonly WatchEvent[]): void {
    const { keys } = this.#environment;
    const { table, director } = this.#settings;
    for (const { key, value } of events)
      try {
        if (key === keys.head(table)) {
          this.#headMissing = value === undefined;
          if (value) this.#head = readHead(value);
        }
        if (key === keys.order(director))
          this.#order = value ? readOrder(value) : NO_ORDER;
        if (key.startsWith(keys.drains)) this.#takeDrain(key, value);
      } catch (error) {
        this.#logFault(error);
      }
  }

  #takeDrain(key: string, value: WatchEvent["value"]): void {
    const id = key.slice(this.#environment.keys.drains.length);
    const drains = new Map(this.#drains);
    if (value) drains.set(id, readDrain(value));
    else drains.delete(id);
    this.#drains = drains;
  }

  /** If all keys are deleted at once, the watch may report drains and the order before the pointer. @throws {StoreError} */
  async pointerIsGone(signal: AbortSignal): Promise<boolean> {
    const { store, keys } = this.#environment;
    if (!this.#head) return false;
    const head = await store.get(keys.head(this.#settings.table), { signal });
    this.#headMissing = head.found === undefined;
    return this.#headMissing;
  }
}
