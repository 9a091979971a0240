import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { takeClientPorts } from "./client-ports.js";
import { commandOn } from "./network.js";
import { type Server, startServerProgram } from "./server.js";

export type { Server } from "./server.js";

/** A server's reply: how the request arrived. */
export interface Page {
  /** The name of the host that replied. */
  readonly server: string;
  /**
   * The server's address and port to which the request came: `192.0.2.1:80`, `[2001:db8::1]:80`.
   */
  readonly addressedAs: string;
  /** The client's address as the server saw it. */
  readonly client: string;
  /** Makes the reply larger than a request. */
  readonly filling: string;
}

/** A reply with status 200. Any other status is a failure. */
export interface Answer extends Omit<Page, "filling"> {
  /** Length of the page in characters. */
  readonly bytes: number;
}

/** A failed request with its reason: `ECONNREFUSED`, `status 503`. */
export interface Failure {
  readonly failure: string;
}

export type Reply = Answer | Failure;

export function isAnswer(reply: Reply): reply is Answer {
  return "server" in reply;
}

/**
 * Starts a server at these ports, on all addresses of the host or on one (`192.0.2.10:80`). Returns
 * when it accepts connections.
 */
export async function startServer(
  host: string,
  ports: readonly (number | string)[],
): Promise<Server> {
  return startServerProgram(host, "HTTP server", [
    ...nodeProgram("http-server.js"),
    host,
    ...ports,
  ]);
}

/**
 * Makes requests from a host, one after the other, each on a new connection.
 *
 * @param patienceSeconds the timeout of each reply; by default long
 * @returns the replies in the order of the requests; fewer than requested if many failed
 */
export function request(
  host: string,
  url: string,
  count: number,
  patienceSeconds?: number,
): Promise<Reply[]> {
  const port = takeClientPorts(count);
  return requestFrom(host, url, count, port, patienceSeconds);
}

/** Makes requests from a host, from the given local port and the following ones. */
export async function requestFrom(
  host: string,
  url: string,
  count: number,
  port: number,
  patienceSeconds?: number,
): Promise<Reply[]> {
  const [file = "", ...words] = commandOn(host, [
    ...nodeProgram("http-client.js"),
    url,
    String(count),
    String(port),
    ...(patienceSeconds === undefined ? [] : [String(patienceSeconds)]),
  ]);
  const { stdout } = await promisify(execFile)(file, words, {
    maxBuffer: Infinity,
  });
  return JSON.parse(stdout) as Reply[];
}

/** The command that runs a program of this folder. */
function nodeProgram(name: string): string[] {
  return [process.execPath, fileURLToPath(new URL(name, import.meta.url))];
}
