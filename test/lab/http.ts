import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { commandOn } from "./network.js";

/** What a server says of the request that it answers. */
export interface Page {
  /** The name of the host that answers. */
  readonly server: string;
  /** To which address and port of its own the request came: `192.0.2.1:80`, `[2001:db8::1]:80`. */
  readonly addressedAs: string;
  /** From which address it came. */
  readonly client: string;
  /** Makes the answer larger than what a client sends. */
  readonly filling: string;
}

/** An answer with status 200; any other is a failure. */
export interface Answer extends Omit<Page, "filling"> {
  /** Length of the page. */
  readonly bytes: number;
}

/** No answer, and why: `ECONNREFUSED`, `status 503`. */
export interface Failure {
  readonly failure: string;
}

export type Reply = Answer | Failure;

export function isAnswer(reply: Reply): reply is Answer {
  return "server" in reply;
}

/** An HTTP server that runs on a host. It ends with this process at the latest. */
export interface Server {
  /** Ends it; its port then refuses connections. */
  stop(): Promise<void>;
}

/** Starts a server at these ports of all the host's addresses; it accepts connections when this is done. */
export async function startServer(
  host: string,
  ports: readonly number[],
): Promise<Server> {
  const [file = "", ...words] = nodeOn(host, "http-server.js", host, ...ports);
  const server = spawn(file, words, { stdio: ["pipe", "pipe", "inherit"] });
  await listening(host, server);
  // A server that nobody stops must not keep this process; it ends when its standard input does.
  server.stdout.destroy();
  server.unref();
  return {
    async stop() {
      if (server.exitCode !== null || server.signalCode !== null) return;
      server.ref();
      const exit = once(server, "exit");
      server.stdin.end();
      await exit;
    },
  };
}

/** Waits until the server has said that it listens. */
async function listening(
  host: string,
  server: ChildProcessByStdio<Writable, Readable, null>,
): Promise<void> {
  const exit = once(server, "exit").then(() => {
    throw new Error(`the HTTP server of ${host} did not start`);
  });
  await Promise.race([once(server.stdout, "data"), exit]);
}

/**
 * Local ports of clients, below those that the kernel gives out. The kernel would choose anew where to
 * begin every 10 seconds, and so come back to a port for which IPVS still has a connection: that one is
 * taken up again, with direct routing not even scheduled anew.
 */
const CLIENT_PORTS = { first: 10000, end: 32768 };
let nextPort = CLIENT_PORTS.first;

/**
 * Has a host make requests, one after the other, each on a connection of its own.
 *
 * @returns the replies in the order of the requests; fewer than asked for if many failed
 */
export async function request(
  host: string,
  url: string,
  count: number,
): Promise<Reply[]> {
  if (nextPort + count > CLIENT_PORTS.end) nextPort = CLIENT_PORTS.first;
  const port = nextPort;
  nextPort += count;
  const [file = "", ...words] = nodeOn(
    host,
    "http-client.js",
    url,
    count,
    port,
  );
  const { stdout } = await promisify(execFile)(file, words, {
    maxBuffer: Infinity,
  });
  return JSON.parse(stdout) as Reply[];
}

/** A command that runs a program of this folder on a host. */
function nodeOn(
  host: string,
  program: string,
  ...words: readonly (string | number)[]
): string[] {
  const file = fileURLToPath(new URL(program, import.meta.url));
  return commandOn(host, [process.execPath, file, ...words.map(String)]);
}
