import assert from "node:assert/strict";
import type { Io } from "../../../src/runtime/io.js";
import { systemClock } from "../../../src/system/clock.js";
import type { ScriptedLink } from "../../netlink/scripted-link.js";
import { subcommand } from "../run-subcommand.js";

/** A server that runs. */
export interface RunningServer {
  readonly url: string;
  /** Ends it. @returns what it wrote to stderr */
  end(): Promise<string>;
}

/** Starts `serve` in this process. @param line the command line without `--listen` */
export async function startServe(
  link: ScriptedLink,
  line = "serve",
  io: Partial<Io> = {},
  listen = "0",
): Promise<RunningServer> {
  let end: () => void = () => undefined;
  let stdout = "";
  const listening = deferred<string>();
  const outcome = subcommand(`${line} --listen ${listen}`, {
    link,
    io: {
      clock: systemClock,
      catchSignals(listen) {
        end = () => {
          listen("SIGTERM");
        };
        return () => undefined;
      },
      stdout(text) {
        stdout += text;
        const [, url] = /^listening on (\S+)\n$/.exec(stdout) ?? [];
        if (url !== undefined) listening.resolve(url);
      },
      ...io,
    },
  });
  const url = await Promise.race([
    listening.promise,
    outcome.then(({ stderr }) => Promise.reject(new Error(stderr))),
  ]);
  return {
    url: url.replace(/\/$/, ""),
    async end() {
      end();
      const { stderr, status } = await outcome;
      assert.equal(status, 0, stderr);
      return stderr;
    },
  };
}

/** Runs `serve` during some work. */
export async function serving(
  link: ScriptedLink,
  work: (url: string) => Promise<void>,
  line?: string,
  io?: Partial<Io>,
): Promise<void> {
  const server = await startServe(link, line, io);
  try {
    await work(server.url);
  } finally {
    assert.equal(await server.end(), "");
  }
}

/** A promise that is resolved from outside. */
function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
