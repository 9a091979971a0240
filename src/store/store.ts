import type { StoreError } from "./store-error.js";

/** A key with its value, as the store has it. */
export interface StoredValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** The store's revision at which the value was written. A later write has a larger one */
  readonly revision: bigint;
  /** The lease that the key ends with; 0 if there is none */
  readonly lease: bigint;
}

/** What was read, and the store's revision at that moment. */
export interface Reading<Found> {
  readonly revision: bigint;
  readonly found: Found;
}

/** A condition of a transaction: the key was last written at this revision. 0: the key does not exist. */
export interface Condition {
  readonly key: string;
  readonly revision: bigint;
}

/** A change of a transaction. */
export type StoreChange =
  | {
      readonly put: string;
      readonly value: Uint8Array;
      /** The key ends with this lease */
      readonly lease?: bigint;
    }
  | { readonly remove: string };

/** The result of a transaction. */
export interface Committed {
  /** False if a condition was not met. Then nothing was changed */
  readonly succeeded: boolean;
  /** The store's revision after it */
  readonly revision: bigint;
}

/** What to watch: a key, or all keys that begin with a text. */
export type WatchTarget =
  { readonly key: string } | { readonly prefix: string };

/** A change that a watch reports. `value` is undefined if the key was removed, or ended with its lease. */
export interface WatchEvent {
  readonly key: string;
  readonly value: StoredValue | undefined;
}

/** Events of one revision of the store. */
export interface WatchBatch {
  readonly revision: bigint;
  readonly events: readonly WatchEvent[];
}

export interface CallOptions {
  /** Ends the call early */
  readonly signal?: AbortSignal;
}

/**
 * A store of keys with revisions, leases and watches: what fleet needs of etcd.
 *
 * All methods throw {@link StoreError}. Reads are repeated at other members until the deadline. A write whose answer was lost
 * is not repeated: the error has the kind `outcome-unknown`, and the caller reads back.
 */
export interface Store {
  /** Reads one key. `found` is undefined if it does not exist. */
  get(
    key: string,
    options?: CallOptions,
  ): Promise<Reading<StoredValue | undefined>>;

  /** Reads all keys that begin with a text, in the order of the keys. */
  range(
    prefix: string,
    options?: CallOptions,
  ): Promise<Reading<readonly StoredValue[]>>;

  /** Makes all changes at once, if all conditions are met. */
  commit(
    conditions: readonly Condition[],
    changes: readonly StoreChange[],
    options?: CallOptions,
  ): Promise<Committed>;

  /** Grants a lease that ends after this time, unless it is kept alive. */
  grantLease(ttlSeconds: number, options?: CallOptions): Promise<bigint>;

  /** Renews a lease. @returns false if the lease has ended */
  keepLeaseAlive(lease: bigint, options?: CallOptions): Promise<boolean>;

  /** Ends a lease, and removes its keys. */
  revokeLease(lease: bigint, options?: CallOptions): Promise<void>;

  /**
   * Reports changes from a revision on, in order. Goes on at other members when a connection fails.
   *
   * @throws {StoreError} `compacted`: the revisions are not kept any more. Read again, and watch from there. Also `denied` and
   *   `unauthenticated`
   */
  watch(
    targets: readonly WatchTarget[],
    fromRevision: bigint,
    signal: AbortSignal,
  ): AsyncIterable<WatchBatch>;

  /** Ends all connections. */
  close(): void;
}

export type { StoreError };
