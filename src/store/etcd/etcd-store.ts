import { StoreError } from "../store-error.js";
import type {
  CallOptions,
  Committed,
  Condition,
  Reading,
  Store,
  StoreChange,
  StoredValue,
  WatchBatch,
  WatchTarget,
} from "../store.js";
import { Cluster, type ClusterSettings } from "./cluster.js";
import { afterPrefix, bytesOf } from "./keys.js";
import { Compare_CompareResult, Compare_CompareTarget } from "./rpc_pb.js";
import { storedValue, watchKeys } from "./watch.js";

/** A Store in etcd, over gRPC. */
export class EtcdStore implements Store {
  readonly cluster: Cluster;

  constructor(settings: ClusterSettings) {
    this.cluster = new Cluster(settings);
  }

  async get(
    key: string,
    { signal }: CallOptions = {},
  ): Promise<Reading<StoredValue | undefined>> {
    const { header, kvs } = await this.cluster.call(
      "always",
      ({ kv }, options) => kv.range({ key: bytesOf(key) }, options),
      signal,
    );
    const [found] = kvs;
    return {
      revision: header?.revision ?? 0n,
      found: found && storedValue(found),
    };
  }

  async range(
    prefix: string,
    { signal }: CallOptions = {},
  ): Promise<Reading<readonly StoredValue[]>> {
    const key = bytesOf(prefix);
    const { header, kvs } = await this.cluster.call(
      "always",
      ({ kv }, options) =>
        kv.range({ key, rangeEnd: afterPrefix(key) }, options),
      signal,
    );
    return { revision: header?.revision ?? 0n, found: kvs.map(storedValue) };
  }

  async commit(
    conditions: readonly Condition[],
    changes: readonly StoreChange[],
    { signal }: CallOptions = {},
  ): Promise<Committed> {
    const request = {
      compare: conditions.map(({ key, revision }) => ({
        key: bytesOf(key),
        result: Compare_CompareResult.EQUAL,
        target: Compare_CompareTarget.MOD,
        targetUnion: { case: "modRevision" as const, value: revision },
      })),
      success: changes.map((change) => ({ request: requestOf(change) })),
    };
    const { header, succeeded } = await this.cluster.call(
      "if-not-done",
      ({ kv }, options) => kv.txn(request, options),
      signal,
    );
    return { succeeded, revision: header?.revision ?? 0n };
  }

  async grantLease(
    ttlSeconds: number,
    { signal }: CallOptions = {},
  ): Promise<bigint> {
    // A lease that is granted twice does no harm: the first one ends by itself.
    const { ID } = await this.cluster.call(
      "always",
      ({ lease }, options) =>
        lease.leaseGrant({ TTL: BigInt(ttlSeconds) }, options),
      signal,
    );
    return ID;
  }

  async keepLeaseAlive(
    ID: bigint,
    { signal }: CallOptions = {},
  ): Promise<boolean> {
    return this.cluster.call(
      "always",
      async ({ lease }, options) => {
        const headers = { ...options.headers, hasleader: "true" };
        const answers = lease.leaseKeepAlive(only({ ID }), {
          ...options,
          headers,
        });
        for await (const { TTL } of answers) return TTL > 0n;
        throw new Error("the stream ended without an answer");
      },
      signal,
    );
  }

  async revokeLease(ID: bigint, { signal }: CallOptions = {}): Promise<void> {
    try {
      await this.cluster.call(
        "always",
        ({ lease }, options) => lease.leaseRevoke({ ID }, options),
        signal,
      );
    } catch (error) {
      if (!(error instanceof StoreError && error.kind === "no-lease"))
        throw error;
    }
  }

  watch(
    targets: readonly WatchTarget[],
    fromRevision: bigint,
    signal: AbortSignal,
  ): AsyncIterable<WatchBatch> {
    return watchKeys(this.cluster, targets, fromRevision, signal);
  }

  close(): void {
    this.cluster.close();
  }
}

function requestOf(change: StoreChange) {
  if ("remove" in change)
    return {
      case: "requestDeleteRange" as const,
      value: { key: bytesOf(change.remove) },
    };
  const { put, value, lease = 0n } = change;
  return {
    case: "requestPut" as const,
    value: { key: bytesOf(put), value, lease },
  };
}

/** A stream of one request. */
async function* only<Request>(request: Request): AsyncGenerator<Request> {
  yield await Promise.resolve(request);
}
