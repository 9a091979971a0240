import { Backoff, type Pauses } from "../backoff.js";
import { EitherSignal } from "../either-signal.js";
import { StoreError } from "../store-error.js";
import { errorOf, failureOf } from "./failures.js";
import { Member, type Certificates, type EtcdClients } from "./member.js";

/** A user of etcd with a password. Without one, the CN of the client's certificate is the user. */
export interface PasswordUser {
  readonly name: string;
  readonly password: string;
}

/** How to reach the members of a cluster. */
export interface ClusterSettings {
  /** URLs: `https://10.0.0.1:2379` */
  readonly endpoints: readonly string[];
  /** Reads the files; called for each new connection. Throws if a file cannot be read */
  readonly certificates: () => Certificates;
  readonly user?: PasswordUser | undefined;
  readonly pauses: Pauses;
  /** How long a call may take in all. Default: 10 seconds */
  readonly deadlineMilliseconds?: number | undefined;
}

const DEADLINE_MILLISECONDS = 10_000;
/** How long one member may take, if there are others. A new leader is elected in about this time. */
const ATTEMPT_MILLISECONDS = 3000;

/** The options of a call at one member. */
export interface RpcOptions {
  readonly timeoutMs: number;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

/** What a call may do after a failed attempt. */
export type Repeat =
  /** A read, or a write that does no harm if it is made twice */
  | "always"
  /** A write: only if it was certainly not carried out */
  | "if-not-done";

/** The members of a cluster. Calls go to one of them, and to the next one if it fails. */
export class Cluster {
  readonly #members: readonly Member[];
  readonly #settings: ClusterSettings;
  readonly #ended = new AbortController();
  /** The calls that are going on. Node.js would warn if more than ten of them listened to one signal */
  readonly #calls = new Set<EitherSignal>();
  #at: number;
  #token: string | undefined;

  constructor(settings: ClusterSettings) {
    const { endpoints, certificates, pauses } = settings;
    this.#settings = settings;
    this.#members = endpoints.map((one) => new Member(one, certificates));
    // Many clients have the same list: each begins at another member.
    this.#at = Math.floor(pauses.random() * endpoints.length);
  }

  /** Triggered by close(). */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** The times between attempts. */
  backoff(): Backoff {
    return new Backoff(this.#settings.pauses);
  }

  /** Ends all connections. */
  close(): void {
    this.#ended.abort();
    for (const call of this.#calls) call.abort();
    for (const member of this.#members) member.disconnect();
  }

  /**
   * Makes a call, at several members if needed.
   *
   * @throws {StoreError}
   */
  async call<Answer>(
    repeat: Repeat,
    attempt: (clients: EtcdClients, options: RpcOptions) => Promise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    using either = new EitherSignal(signal ? [signal] : []);
    if (this.ended.aborted) either.abort();
    this.#calls.add(either);
    try {
      return await this.#attempts(repeat, attempt, either.signal);
    } finally {
      this.#calls.delete(either);
    }
  }

  async #attempts<Answer>(
    repeat: Repeat,
    attempt: (clients: EtcdClients, options: RpcOptions) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    const { deadlineMilliseconds = DEADLINE_MILLISECONDS } = this.#settings;
    // Not Date.now(): the machine's clock may jump.
    const end = performance.now() + deadlineMilliseconds;
    const backoff = this.backoff();
    for (let tried = 1; ; tried++) {
      const member = this.member();
      let sent = false;
      try {
        const timeoutMs = this.#attemptTime(end, repeat);
        const headers = await this.headers(member, timeoutMs, signal);
        sent = true;
        return await attempt(member.clients, {
          timeoutMs,
          headers,
          signal,
        });
      } catch (error) {
        if (signal.aborted) throw new StoreError("aborted", "interrupted");
        if (error instanceof StoreError) throw error;
        const failure = failureOf(error);
        this.failed(member, failure);
        if (!failure.transient) throw errorOf(failure, error);
        if (repeat === "if-not-done" && sent && !failure.notDone)
          throw new StoreError("outcome-unknown", failure.detail, {
            cause: error,
          });
        // Try every member once without a pause.
        const pause = tried < this.#members.length ? 0 : backoff.next();
        const giveUp =
          failure.tokenExpired && this.#settings.user === undefined;
        if (giveUp || performance.now() + pause >= end)
          throw errorOf(failure, error);
        await this.#settings.pauses.sleep(pause, signal);
      }
    }
  }

  /** The member that calls go to at the moment. */
  member(): Member {
    const member = this.#members[this.#at % this.#members.length];
    if (!member) throw new StoreError("unreachable", "no endpoints");
    return member;
  }

  /** Notes a failure: the next call goes to the next member. */
  failed(
    member: Member,
    failure: {
      readonly transient: boolean;
      readonly connectionLost: boolean;
      readonly tokenExpired: boolean;
    },
  ): void {
    if (failure.tokenExpired) {
      this.#token = undefined;
      return;
    }
    if (failure.connectionLost) member.disconnect();
    if (failure.transient && this.member() === member)
      this.#at = (this.#at + 1) % this.#members.length;
  }

  /** The headers of a call: the token of the user, if there is one. Its lifetime is limited, so it is fetched again. */
  async headers(
    { clients }: Member,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Record<string, string>> {
    const { user } = this.#settings;
    if (!user) return {};
    this.#token ??= (
      await clients.auth.authenticate(user, { timeoutMs, signal })
    ).token;
    return { token: this.#token };
  }

  /** Forgets the token, so that the next call fetches another one. @returns false if there is no user */
  renewToken(): boolean {
    this.#token = undefined;
    return this.#settings.user !== undefined;
  }

  /** A read goes to the next member early; a write waits, because it cannot be repeated. */
  #attemptTime(end: number, repeat: Repeat): number {
    // gRPC takes whole milliseconds.
    const left = Math.max(Math.ceil(end - performance.now()), 1);
    return repeat === "always" && this.#members.length > 1
      ? Math.min(left, ATTEMPT_MILLISECONDS)
      : left;
  }
}
