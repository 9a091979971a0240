import { createClient, type Client } from "@connectrpc/connect";
import {
  createGrpcTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { Auth, KV, Lease, Watch } from "./rpc_pb.js";

/** The content of the files of a TLS connection. */
export interface Certificates {
  /** The certificate authorities that sign the members' certificates */
  readonly authorities?: Buffer | undefined;
  /** This client's certificate and its key */
  readonly certificate?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** The calls of etcd's API that are in use. */
export interface EtcdClients {
  readonly kv: Client<typeof KV>;
  readonly watch: Client<typeof Watch>;
  readonly lease: Client<typeof Lease>;
  readonly auth: Client<typeof Auth>;
}

/** etcd ends connections that ping more often than every 5 seconds (--grpc-keepalive-min-time). */
const PING_INTERVAL_MILLISECONDS = 6000;
/** A member that does not answer a ping for so long is dead, or frozen. */
const PING_TIMEOUT_MILLISECONDS = 3000;
/** etcd's answers are smaller, except for a range over very many keys. */
const LARGEST_ANSWER_BYTES = 64 * 1024 * 1024;

/**
 * Keeps two races of Http2SessionManager from ending the process. It removes its listeners when it is aborted: a connection that
 * fails at the same moment, such as by a ping without an answer, emits its error to nobody. And its timer may ping a connection
 * that was destroyed just before, which throws.
 *
 * @see https://github.com/connectrpc/connect-es/issues/1795
 */
export class SessionManager extends Http2SessionManager {
  readonly #listened = new WeakSet<object>();

  override async request(
    ...args: Parameters<Http2SessionManager["request"]>
  ): ReturnType<Http2SessionManager["request"]> {
    const stream = await super.request(...args);
    const { session } = stream;
    if (session && !this.#listened.has(session)) {
      this.#listened.add(session);
      session.on("error", () => {
        // The calls on the connection report it.
      });
      const ping = session.ping.bind(session) as (
        ...args: readonly unknown[]
      ) => boolean;
      session.ping = (...args: readonly unknown[]) =>
        !session.destroyed && ping(...args);
    }
    return stream;
  }
}

/** A member of the cluster, with one HTTP/2 connection that is opened when it is needed. */
export class Member {
  readonly endpoint: string;
  readonly #certificates: () => Certificates;
  #open: { session: SessionManager; clients: EtcdClients } | undefined;

  /** @param certificates is called for each new connection, because certificates are renewed */
  constructor(endpoint: string, certificates: () => Certificates) {
    this.endpoint = endpoint;
    this.#certificates = certificates;
  }

  get clients(): EtcdClients {
    this.#open ??= this.#connect();
    return this.#open.clients;
  }

  /** Ends the connection, and all calls on it. The next call opens another one. */
  disconnect(): void {
    const open = this.#open;
    this.#open = undefined;
    open?.session.abort();
  }

  #connect() {
    const { authorities, certificate, key } = this.#certificates();
    const session = new SessionManager(
      this.endpoint,
      {
        pingIntervalMs: PING_INTERVAL_MILLISECONDS,
        pingTimeoutMs: PING_TIMEOUT_MILLISECONDS,
      },
      {
        ...(authorities && { ca: authorities }),
        ...(certificate && { cert: certificate }),
        ...(key && { key }),
      },
    );
    const transport = createGrpcTransport({
      baseUrl: this.endpoint,
      sessionManager: session,
      acceptCompression: [],
      readMaxBytes: LARGEST_ANSWER_BYTES,
    });
    const clients = {
      kv: createClient(KV, transport),
      watch: createClient(Watch, transport),
      lease: createClient(Lease, transport),
      auth: createClient(Auth, transport),
    };
    return { session, clients };
  }
}
