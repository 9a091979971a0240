import { StoreError } from "../../src/store/store-error.js";
import type {
  CallOptions,
  Committed,
  Condition,
  Reading,
  Store,
  StoreChange,
  StoredValue,
  WatchBatch,
  WatchEvent,
  WatchTarget,
} from "../../src/store/store.js";

/** A failure to simulate: the call fails before or after it was carried out. */
export type StoreTrouble = "unreachable" | "answer lost";

/**
 * A model of etcd: keys with revisions, leases and watches. Leases end when the test lets time pass.
 *
 * Several clients share one: `client()` makes them, each with its own troubles.
 */
export class MemoryCluster {
  readonly #values = new Map<string, StoredValue>();
  readonly #leases = new Map<bigint, { ttl: number; ends: number }>();
  readonly #history: WatchBatch[] = [];
  readonly #waiting = new Set<() => void>();
  #revision = 1n;
  #restarts = 0;
  #compacted = 0n;
  #lastLease = 0n;
  #now = 0;

  /** A client. @param trouble returns the failure of a call, by its name */
  client(
    trouble: (call: keyof Store) => StoreTrouble | undefined = () => undefined,
  ): Store {
    return new MemoryStore(this, trouble);
  }

  get revision(): bigint {
    return this.#revision;
  }

  values(): StoredValue[] {
    return [...this.#values.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  get(key: string): StoredValue | undefined {
    return this.#values.get(key);
  }

  commit(
    conditions: readonly Condition[],
    changes: readonly StoreChange[],
  ): Committed {
    const met = conditions.every(
      ({ key, revision }) =>
        (this.#values.get(key)?.revision ?? 0n) === revision,
    );
    if (!met) return { succeeded: false, revision: this.#revision };
    for (const change of changes)
      if ("put" in change && change.lease !== undefined)
        this.#checkLease(change.lease);
    this.#change(changes);
    return { succeeded: true, revision: this.#revision };
  }

  grant(ttl: number): bigint {
    this.#lastLease++;
    this.#leases.set(this.#lastLease, { ttl, ends: this.#now + ttl });
    return this.#lastLease;
  }

  keepAlive(id: bigint): boolean {
    const lease = this.#leases.get(id);
    if (lease) lease.ends = this.#now + lease.ttl;
    return lease !== undefined;
  }

  revoke(id: bigint): void {
    if (!this.#leases.delete(id)) return;
    const ended = this.values().filter(({ lease }) => lease === id);
    this.#change(ended.map(({ key }) => ({ remove: key })));
  }

  /** Lets time pass, so that leases end. */
  pass(seconds: number): void {
    this.#now += seconds;
    for (const [id, { ends }] of this.#leases)
      if (ends <= this.#now) this.revoke(id);
  }

  /** Forgets the history, as etcd's compaction does. */
  compact(): void {
    this.#compacted = this.#revision;
  }

  /** Ends all watches, as a restart does. */
  endWatches(): void {
    this.#restarts++;
    for (const wake of [...this.#waiting]) wake();
  }

  async *watch(
    targets: readonly WatchTarget[],
    from: bigint,
    signal: AbortSignal,
  ): AsyncGenerator<WatchBatch> {
    const fits = (event: WatchEvent) =>
      targets.some((target) =>
        "key" in target
          ? event.key === target.key
          : event.key.startsWith(target.prefix),
      );
    const restarts = this.#restarts;
    for (let next = from; !signal.aborted;) {
      if (this.#restarts !== restarts)
        throw new StoreError("unreachable", "ECONNRESET");
      if (next <= this.#compacted)
        throw new StoreError("compacted", `revision ${this.#compacted}`);
      const batch = this.#history.find(({ revision }) => revision >= next);
      if (!batch) {
        await this.#nextChange(signal);
        continue;
      }
      next = batch.revision + 1n;
      const events = batch.events.filter(fits);
      if (events.length > 0) yield { revision: batch.revision, events };
    }
  }

  #nextChange(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake);
      if (signal.aborted) wake();
    });
  }

  #checkLease(id: bigint): void {
    if (!this.#leases.has(id))
      throw new StoreError("no-lease", "requested lease not found");
  }

  #change(changes: readonly StoreChange[]): void {
    if (changes.length === 0) return;
    const revision = this.#revision + 1n;
    const events: WatchEvent[] = [];
    for (const change of changes)
      if ("put" in change) {
        const { put: key, value, lease = 0n } = change;
        const stored = { key, value: Uint8Array.from(value), revision, lease };
        this.#values.set(key, stored);
        events.push({ key, value: stored });
      } else if (this.#values.delete(change.remove))
        events.push({ key: change.remove, value: undefined });
    if (events.length === 0) return;
    this.#revision = revision;
    this.#history.push({ revision, events });
    for (const wake of [...this.#waiting]) wake();
  }
}

class MemoryStore implements Store {
  readonly #cluster: MemoryCluster;
  readonly #trouble: (call: keyof Store) => StoreTrouble | undefined;

  constructor(
    cluster: MemoryCluster,
    trouble: (call: keyof Store) => StoreTrouble | undefined,
  ) {
    this.#cluster = cluster;
    this.#trouble = trouble;
  }

  get(key: string, options?: CallOptions) {
    return this.#call("get", options, () => ({
      revision: this.#cluster.revision,
      found: this.#cluster.get(key),
    }));
  }

  range(
    prefix: string,
    options?: CallOptions,
  ): Promise<Reading<readonly StoredValue[]>> {
    return this.#call("range", options, () => ({
      revision: this.#cluster.revision,
      found: this.#cluster.values().filter(({ key }) => key.startsWith(prefix)),
    }));
  }

  commit(
    conditions: readonly Condition[],
    changes: readonly StoreChange[],
    options?: CallOptions,
  ): Promise<Committed> {
    return this.#call("commit", options, () =>
      this.#cluster.commit(conditions, changes),
    );
  }

  grantLease(ttlSeconds: number, options?: CallOptions): Promise<bigint> {
    return this.#call("grantLease", options, () =>
      this.#cluster.grant(ttlSeconds),
    );
  }

  keepLeaseAlive(lease: bigint, options?: CallOptions): Promise<boolean> {
    return this.#call("keepLeaseAlive", options, () =>
      this.#cluster.keepAlive(lease),
    );
  }

  revokeLease(lease: bigint, options?: CallOptions): Promise<void> {
    return this.#call("revokeLease", options, () => {
      this.#cluster.revoke(lease);
    });
  }

  watch(
    targets: readonly WatchTarget[],
    fromRevision: bigint,
    signal: AbortSignal,
  ): AsyncIterable<WatchBatch> {
    return this.#cluster.watch(targets, fromRevision, signal);
  }

  close(): void {
    // There is no connection.
  }

  async #call<Answer>(
    name: keyof Store,
    { signal }: CallOptions = {},
    act: () => Answer,
  ): Promise<Answer> {
    await Promise.resolve();
    if (signal?.aborted) throw new StoreError("aborted", "interrupted");
    const trouble = this.#trouble(name);
    if (trouble === "unreachable")
      throw new StoreError("unreachable", "ECONNREFUSED");
    const answer = act();
    if (trouble === "answer lost")
      throw new StoreError("outcome-unknown", "the answer was lost");
    return answer;
  }
}
