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
  /** How many, one after the other (1). */
  readonly count?: number;
  /** Which of its addresses the client uses. */
  readonly from?: string;
  /** How long it waits for each answer (5). */
  readonly patienceSeconds?: number;
}

/** A client: a process on a host, which does as it is told and never uses a local port twice. */
export interface Caller {
  /** Makes HTTP requests, each on a connection of its own. @returns fewer replies if several failed */
  get(url: string, manner?: Manner): Promise<Reply[]>;
  /** Makes an HTTP request and holds the connection. @throws if there is no answer */
  hold(url: string, manner?: Manner): Promise<HeldConnection>;
  /** Sends datagrams from one socket to `ADDRESS:PORT`, each when the one before has been answered. */
  sendDatagrams(to: string, manner?: Manner): Promise<DatagramReply[]>;
  stop(): Promise<void>;
}

export interface HeldConnection {
  /** The host that answered the first request. */
  readonly server: string;
  readonly localPort: number;
  /** Makes one more request; without an answer if the connection is no more. */
  ask(): Promise<Reply>;
  close(): Promise<void>;
}

/** What `caller-program.ts` reads from a line of its standard input, and answers by a line. */
export type Call = Required<Pick<Manner, "count">> &
  Manner & {
    readonly task: "get" | "hold" | "ask" | "close" | "datagrams";
    /** A URL, or for datagrams an address and port. */
    readonly to: string;
    /** The first local port. A connection that is held is known by it. */
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
      const held = { to: url, count: 1, port };
      return {
        server,
        localPort: port,
        ask: () => tell<Reply>({ ...held, task: "ask" }),
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
