import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { commandOn } from "./network.js";

/** A server on a host. It ends with this process at the latest. */
export interface Server {
  /** Ends the server; its ports then refuse connections. */
  stop(): Promise<void>;
}

/**
 * Starts a program on a host. The program prints something when it is ready, and ends with its
 * standard input.
 *
 * @param what its name in an error message: `HTTP server`
 */
export async function startServerProgram(
  host: string,
  what: string,
  words: readonly (string | number)[],
): Promise<Server> {
  const [file = "", ...rest] = commandOn(host, words.map(String));
  const server = spawn(file, rest, { stdio: ["pipe", "pipe", "inherit"] });
  await listening(`the ${what} of ${host}`, server);
  // A running server must not keep this process alive. It ends when its standard input is closed.
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

/** Waits until the server reports that it listens. */
async function listening(
  name: string,
  server: ChildProcessByStdio<Writable, Readable, null>,
): Promise<void> {
  const exit = once(server, "exit").then(() => {
    throw new Error(`${name} did not start`);
  });
  await Promise.race([once(server.stdout, "data"), exit]);
}
