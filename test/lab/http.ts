import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { takeClientPorts } from "./client-ports.js";
import { commandOn } from "./network.js";
import { type Server, startServerProgram } from "./server.js";

export type { Server } from "./server.js";

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

/** Starts a server at these ports, of all the host's addresses or of one (`192.0.2.10:80`); it accepts connections when this is done. */
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
 * Has a host make requests, one after the other, each on a connection of its own.
 *
 * @returns the replies in the order of the requests; fewer than asked for if many failed
 */
export function request(
  host: string,
  url: string,
  count: number,
): Promise<Reply[]> {
  return requestFrom(host, url, count, takeClientPorts(count));
}

/** The same, from local ports of which the first is given. */
export async function requestFrom(
  host: string,
  url: string,
  count: number,
  port: number,
): Promise<Reply[]> {
  const [file = "", ...words] = commandOn(host, [
    ...nodeProgram("http-client.js"),
    url,
    String(count),
    String(port),
  ]);
  const { stdout } = await promisify(execFile)(file, words, {
    maxBuffer: Infinity,
  });
  return JSON.parse(stdout) as Reply[];
}

/** The words that run a program of this folder. */
function nodeProgram(name: string): string[] {
  return [process.execPath, fileURLToPath(new URL(name, import.meta.url))];
}
