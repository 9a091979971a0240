import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { commandOn } from "./network.js";

/** A server that runs on a host. It ends with this process at the latest. */
export interface Server {
  /** Ends it; its ports then refuse connections. */
  stop(): Promise<void>;
}

/**
 * Starts a program on a host that prints something as soon as it can be reached, and that ends with its
 * standard input.
 *
 * @param what names it, should it not start: `HTTP server`
 */
export async function startServerProgram(
  host: string,
  what: string,
  words: readonly (string | number)[],
): Promise<Server> {
  const [file = "", ...rest] = commandOn(host, words.map(String));
  const server = spawn(file, rest, { stdio: ["pipe", "pipe", "inherit"] });
  await listening(`the ${what} of ${host}`, server);
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
  name: string,
  server: ChildProcessByStdio<Writable, Readable, null>,
): Promise<void> {
  const exit = once(server, "exit").then(() => {
    throw new Error(`${name} did not start`);
  });
  await Promise.race([once(server.stdout, "data"), exit]);
}
