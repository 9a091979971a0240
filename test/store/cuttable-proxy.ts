import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** What a cut stops. */
export interface Cut {
  /** `answers`: requests still arrive */
  readonly what: "both" | "answers";
  /** Only the connections of the etcd member with this peer URL */
  readonly from?: string;
}

/** A connection through the proxy. */
interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** The peer URL of the member that connects, from its requests; undefined for clients */
  from?: string | undefined;
  isOpening: boolean;
}

/**
 * A proxy for TCP that can be cut silently, as a network that loses every packet: connections stay open, nobody is told, and
 * what is sent arrives when the cut ends.
 */
export class CuttableProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #pairs = new Set<Pair>();
  #cuts: readonly Cut[] = [];

  private constructor(server: Server, targetPort: number) {
    this.#server = server;
    this.#targetPort = targetPort;
    server.on("connection", (client) => {
      this.#accept(client);
    });
  }

  /** @param port to listen on; 0: any */
  static async start(targetPort: number, port = 0): Promise<CuttableProxy> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const proxy = new CuttableProxy(server, targetPort);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" ? (address?.port ?? 0) : 0;
  }

  cut(cut: Cut = { what: "both" }): void {
    this.#cuts = [...this.#cuts, cut];
    for (const pair of this.#pairs) this.#steer(pair);
  }

  /** Ends all cuts. */
  join(): void {
    this.#cuts = [];
    for (const pair of this.#pairs) this.#steer(pair);
  }

  #accept(client: Socket): void {
    const server = connect({
      port: this.#targetPort,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    server.pause();
    const pair: Pair = { client, server, isOpening: true };
    this.#pairs.add(pair);
    client.on("data", (data) => {
      pair.from ??= /^x-peerurls: (\S+)/im.exec(data.toString("latin1"))?.[1];
      server.write(data);
      this.#steer(pair);
    });
    server.on("data", (data) => {
      client.write(data);
    });
    client.on("end", () => {
      server.end();
    });
    server.on("end", () => {
      client.end();
    });
    server.on("connect", () => {
      pair.isOpening = false;
      this.#steer(pair);
    });
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      socket.on("error", () => {
        if (!this.#stops(pair, "answers")) end();
      });
      socket.on("close", () => {
        // While the network is cut, the other side is not told.
        if (!this.#stops(pair, "answers")) end();
      });
    }
  }

  #stops({ from }: Pair, what: Cut["what"]): boolean {
    return this.#cuts.some(
      (cut) =>
        (what === "answers" || cut.what === "both") &&
        (cut.from === undefined || cut.from === from),
    );
  }

  #steer(pair: Pair): void {
    const { client, server, isOpening } = pair;
    if (isOpening || this.#stops(pair, "both")) client.pause();
    else client.resume();
    if (isOpening || this.#stops(pair, "answers")) server.pause();
    else server.resume();
    const isOver = client.destroyed || server.destroyed;
    if (!isOver || this.#stops(pair, "answers")) return;
    this.#pairs.delete(pair);
    client.destroy();
    server.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    this.#server.close();
    await once(this.#server, "close");
  }
}
