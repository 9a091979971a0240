import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { EitherSignal } from "../either-signal.js";
import { StoreError } from "../store-error.js";
import type { StoredValue, WatchBatch, WatchTarget } from "../store.js";
import type { Cluster } from "./cluster.js";
import { errorOf, failureOf } from "./failures.js";
import { afterPrefix, bytesOf, textOf } from "./keys.js";
import {
  Event_EventType,
  WatchRequestSchema,
  type KeyValue,
  type WatchRequest,
  type WatchResponse,
} from "./rpc_pb.js";

/** How long the connection to a member may take. */
const CONNECT_MILLISECONDS = 3000;

/** A target, and the revision from which it is to be watched. */
interface Progress {
  readonly target: WatchTarget;
  next: bigint;
}

/**
 * Watches keys. When a connection fails, or its member has no leader, it goes on at another member, at the revision after the
 * last one that it reported.
 *
 * @throws {StoreError} see Store.watch()
 */
export async function* watchKeys(
  cluster: Cluster,
  targets: readonly WatchTarget[],
  fromRevision: bigint,
  signal: AbortSignal,
): AsyncGenerator<WatchBatch> {
  const progress = targets.map((target) => ({ target, next: fromRevision }));
  const backoff = cluster.backoff();
  let mayRenewToken = true;
  using either = new EitherSignal([signal, cluster.ended]);
  const { signal: ended } = either;
  const isEnded = () => ended.aborted;
  while (!isEnded()) {
    const member = cluster.member();
    // Ends the stream of requests, and with it the call.
    using stop = new Stop(ended);
    try {
      const headers = await cluster.headers(
        member,
        CONNECT_MILLISECONDS,
        ended,
      );
      const answers = member.clients.watch.watch(
        requests(progress, stop.signal),
        {
          headers: { ...headers, hasleader: "true" },
          signal: stop.signal,
          timeoutMs: 0,
        },
      );
      stop.within(CONNECT_MILLISECONDS);
      for await (const answer of answers) {
        stop.settled();
        if (answer.canceled) throw cancellation(answer);
        const batch = batchOf(answer, progress);
        backoff.reset();
        if (!answer.created) mayRenewToken = true;
        if (batch.events.length > 0) yield batch;
      }
      cluster.failed(member, STREAM_ENDED);
    } catch (error) {
      if (isEnded()) return;
      if (error instanceof StoreError) {
        const denied =
          error.kind === "denied" || error.kind === "unauthenticated";
        if (!denied || !mayRenewToken || !cluster.renewToken()) throw error;
        mayRenewToken = false;
        continue;
      }
      const failure = failureOf(error);
      cluster.failed(member, failure);
      if (failure.tokenExpired && mayRenewToken && cluster.renewToken()) {
        mayRenewToken = false;
        continue;
      }
      if (!failure.transient || failure.tokenExpired)
        throw errorOf(failure, error);
    }
    await backoff.wait(ended);
  }
}

const STREAM_ENDED = {
  transient: true,
  connectionLost: false,
  tokenExpired: false,
};

/** Ends a stream when the outer signal is triggered, when it is left, or when nothing arrives in time. */
class Stop implements Disposable {
  readonly #either: EitherSignal;
  #timer: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal) {
    this.#either = new EitherSignal([outer]);
  }

  get signal(): AbortSignal {
    return this.#either.signal;
  }

  within(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#either.abort();
    }, milliseconds);
  }

  settled(): void {
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.settled();
    this.#either[Symbol.dispose]();
    this.#either.abort();
  }
}

/** Asks for each target, and keeps the stream open. A target's number in the list is its watch ID. */
async function* requests(
  progress: readonly Progress[],
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof WatchRequestSchema>> {
  for (const { target, next } of progress) yield request(target, next);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener("abort", () => {
        resolve();
      });
  });
}

function request(target: WatchTarget, startRevision: bigint): WatchRequest {
  const key = bytesOf("key" in target ? target.key : target.prefix);
  return create(WatchRequestSchema, {
    requestUnion: {
      case: "createRequest",
      value: {
        key,
        startRevision,
        progressNotify: true,
        ...("prefix" in target && { rangeEnd: afterPrefix(key) }),
      },
    },
  });
}

function cancellation({ compactRevision, cancelReason }: WatchResponse): Error {
  if (compactRevision > 0n)
    return new StoreError("compacted", `revision ${compactRevision}`);
  const failure = failureOf(new Error(cancelReason));
  return failure.transient && !failure.tokenExpired
    ? new Error(cancelReason)
    : errorOf(failure, undefined);
}

/** The events of an answer, and the progress after it. etcd numbers the watches of a stream from 0 in order of the requests. */
function batchOf(
  { header, watchId, events }: WatchResponse,
  progress: readonly Progress[],
): WatchBatch {
  const revision = header?.revision ?? 0n;
  const one = progress[Number(watchId)];
  const fresh = events.flatMap(({ type, kv }) =>
    kv && one && kv.modRevision >= one.next
      ? [
          {
            key: textOf(kv.key),
            value: type === Event_EventType.PUT ? storedValue(kv) : undefined,
          },
        ]
      : [],
  );
  // The revision of the header may be ahead of events that are yet to come.
  const last = events.at(-1)?.kv?.modRevision;
  if (one && last !== undefined && last >= one.next) one.next = last + 1n;
  return { revision, events: fresh };
}

/** A key with its value, in the form of the Store. */
export function storedValue({
  key,
  value,
  modRevision,
  lease,
}: KeyValue): StoredValue {
  return { key: textOf(key), value, revision: modRevision, lease };
}
