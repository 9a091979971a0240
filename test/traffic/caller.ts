import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { takeClientPorts } from "../lab/client-ports.js";
import { isAnswer, type Reply } from "../lab/http.js";
import { commandOn } from "../lab/network.js";
import type { DatagramReply } from "./datagrams.js";

/** How a client makes its requests. */
export interface Manner {
  /** The number of requests, one after the other; by default 1. */
  readonly count?: number;
  /** The client's source address. */
  readonly from?: string;
  /** The timeout of each reply in seconds; by default long enough for a slow machine. */
  readonly patienceSeconds?: number;
}

/**
 * A client: a process on a host that makes requests on demand. It never uses a local port twice.
 */
export interface Caller {
  /** Makes HTTP requests, each on a new connection. @returns fewer replies if several failed */
  get(url: string, manner?: Manner): Promise<Reply[]>;
  /** Makes an HTTP request and keeps the connection open. @throws if there is no reply */
  hold(url: string, manner?: Manner): Promise<HeldConnection>;
  /**
   * Sends datagrams from one socket to `ADDRESS:PORT`, each after the reply to the previous one.
   */
  sendDatagrams(to: string, manner?: Manner): Promise<DatagramReply[]>;
  stop(): Promise<void>;
}

export interface HeldConnection {
  /** The host that replied to the first request. */
  readonly server: string;
  readonly localPort: number;
  /** Makes another request. There is no reply if the connection is gone. */
  ask(patienceSeconds?: number): Promise<Reply>;
  close(): Promise<void>;
}

/** A call as a line of standard input for `caller-program.ts`, which replies with a line. */
export type Call = Required<Pick<Manner, "count">> &
  Manner & {
    readonly task: "get" | "hold" | "ask" | "close" | "datagrams";
    /** A URL; for datagrams, an address and a port. */
    readonly to: string;
    /** The first local port. It also identifies a held connection. */
    readonly port: number;
  };

const PROGRAM = fileURLToPath(new URL("caller-program.js", import.meta.url));

/** Starts a client on a host. It ends with this process at the latest. */
export function startCaller(host: string): Caller {
  const [file = "", ...words] = commandOn(host, [process.execPath, PROGRAM]);
  const child = spawn(file, words, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();

  async function tell<T>(call: Call): Promise<T> {
    child.stdin.write(`${JSON.stringify(call)}\n`);
    const line = await lines.next();
    if (line.done) throw new Error(`the client on ${host} has ended`);
    return JSON.parse(line.value) as T;
  }

  function begin<T>(task: Call["task"], to: string, manner: Manner = {}) {
    const { count = 1 } = manner;
    const port = takeClientPorts(task === "get" ? count : 1);
    const call = { ...manner, task, to, count, port };
    return { port, replies: tell<T[]>(call) };
  }

  return {
    get: (url, manner) => begin<Reply>("get", url, manner).replies,
    sendDatagrams: (to, manner) =>
      begin<DatagramReply>("datagrams", to, manner).replies,
    async hold(url, manner) {
      const { port, replies } = begin<Reply>("hold", url, manner);
      const server = serverOf(await replies, url);
      const held = { ...manner, to: url, count: 1, port };
      return {
        server,
        localPort: port,
        ask: (patienceSeconds) =>
          tell<Reply>({
            ...held,
            task: "ask",
            ...(patienceSeconds !== undefined && { patienceSeconds }),
          }),
        close: () => tell<undefined>({ ...held, task: "close" }),
      };
    },
    async stop() {
      const exit = once(child, "exit");
      child.stdin.end();
      await exit;
    },
  };
}

function serverOf([reply]: readonly Reply[], url: string): string {
  if (reply && isAnswer(reply)) return reply.server;
  throw new Error(`${url}: ${reply?.failure ?? "no reply"}`);
}
