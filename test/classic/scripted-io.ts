import type { Io } from "../../src/runtime/io.js";
import { runClassic } from "../../src/classic/run.js";
import type { ScriptedLink } from "../netlink/scripted-link.js";
import { scriptedKernel } from "./scripted-kernel.js";

/** The result of a run. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
  /** Effects of the run, in order: `open`, `load`. */
  readonly log: readonly string[];
}

export interface World {
  readonly link: ScriptedLink;
  /** Standard input, in chunks as it can be read */
  readonly stdin: readonly (readonly string[])[];
  readonly io: Partial<Io>;
}

/** Runs something with a scripted Io, in which nothing has a name. */
export async function runIn(
  { link = scriptedKernel(), stdin = [], io = {} }: Partial<World>,
  run: (io: Io) => Promise<number>,
): Promise<Outcome> {
  let stdout = "";
  let stderr = "";
  const log: string[] = [];
  const status = await run({
    async *stdin() {
      for (const lines of stdin) yield await Promise.resolve(lines);
    },
    stdout(text) {
      stdout += text;
    },
    stdoutBytes(bytes) {
      stdout += bytes.toString("latin1");
    },
    stderr(text) {
      stderr += text;
    },
    flush() {
      log.push("flush");
      return undefined;
    },
    program: () => "ipvsadm",
    names: {
      hostAddress: () => Promise.resolve(undefined),
      hostName: () => Promise.resolve(undefined),
      servicePort: () => undefined,
      serviceName: () => undefined,
    },
    openLink() {
      log.push("open");
      return link;
    },
    loadModule() {
      log.push("load");
    },
    mayOpenRawSockets: () => true,
    mayAdministerNetworks: () => true,
    kernelTable: () => undefined,
    connectionsFile: "/nonexistent/ip_vs_conn",
    procFolder: "/nonexistent/proc",
    runFolder: "/nonexistent/run",
    sysFolder: "/nonexistent/sys",
    modulesFolder: "/nonexistent/modules",
    terminal: { isTerminal: () => false, size: () => undefined },
    catchSignals: () => () => undefined,
    enterFullScreen() {
      throw new Error("there is no terminal");
    },
    environment: environmentOf({}),
    stdinBytes: () => undefined,
    clock: {
      now: () => 0,
      every: () => () => undefined,
      sleep: () => Promise.resolve(),
    },
    ...io,
  });
  return { stdout, stderr, status, log };
}

/** The environment variables of a test. Unless it sets the locale, that is UTF-8. */
export function environmentOf(
  variables: Readonly<Record<string, string>>,
): Io["environment"] {
  return (name) => variables[name] ?? (name === "LANG" ? "C.UTF-8" : undefined);
}

/** Runs a classic command line. Its words are separated by single spaces. */
export function classic(
  line: string,
  world: Partial<World> = {},
): Promise<Outcome> {
  return runIn(world, (io) =>
    runClassic(line === "" ? [] : line.split(" "), io),
  );
}

/** Runs `-R` with a text as input. */
export function restored(
  text: string,
  world: Partial<World> = {},
): Promise<Outcome> {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return classic("-R", { stdin: [lines], ...world });
}
