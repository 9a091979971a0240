import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runSubcommand, type Registry } from "../../src/cli/run-subcommand.js";
import { monitor } from "../../src/commands/monitor/run.js";
import { REGISTRY } from "../../src/commands/registry.js";
import { watch } from "../../src/commands/watch/run.js";
import { INET } from "../../src/ipvs/address.js";
import type { ServiceKey } from "../../src/ipvs/model.js";
import { finish } from "../../src/runtime/finish.js";
import { serviceEntry } from "../fixtures/entries.js";
import { main, mainRestore, mainSave } from "../../src/main.js";
import type { Io } from "../../src/runtime/io.js";
import type { EndingSignal } from "../../src/system/signals.js";
import { mainSubcommands } from "../../src/subcommands.js";
import { runIn } from "../classic/scripted-io.js";
import { scriptedKernel } from "../classic/scripted-kernel.js";
import { Random } from "../compat/random.js";
import { ack, done, ScriptedLink } from "../netlink/scripted-link.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { FaultyLink, type LinkFault, type Traffic } from "./faulty-link.js";
import {
  answersOf,
  changeKernel,
  type ChangeRefusal,
} from "./netlink-kernel.js";
import { VirtualClock } from "./virtual-clock.js";

/** A command line. The program is by default `ipvsadm`. */
export interface CommandLine {
  readonly words: readonly string[];
  readonly program?: "ipvsadm-save" | "ipvsadm-restore";
  readonly stdin?: string;
}

/** The result of a run. */
export interface Result {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** What the program threw: always a bug */
  readonly thrown?: unknown;
  readonly traffic: Traffic;
}

export interface RunOptions {
  readonly faults?: readonly LinkFault[];
  readonly random?: Random;
  readonly refusal?: ChangeRefusal | undefined;
  /** Is called before each effect on the kernel, and after the kernel has handled it */
  readonly step?: (what: string) => void;
  readonly io?: Partial<Io>;
  /** The signal that the program gets at its first wait, for commands that run until then */
  readonly signal?: EndingSignal;
  /** Whether another program changes the table at each wait, for commands that run until then */
  readonly changesMeanwhile?: boolean;
}

const NETLINK_ROUTE = 0;
/** Longer than any case takes, in real time. */
const PATIENCE_MILLISECONDS = 120_000;
/** How often a server gets its signal until it ends. */
const SIGNAL_MILLISECONDS = 20;

/** A folder for the files of a case, a model kernel, and a virtual clock. */
export class World {
  readonly folder: string;
  kernel = new ModelKernel({ services: [] });
  /** Listeners of the program for signals */
  readonly listeners = new Set<(signal: EndingSignal) => void>();
  #processStart = 1000;

  constructor() {
    // In memory if possible: a case makes and removes many files.
    const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
    this.folder = mkdtempSync(join(parent, "ipvsadm-faults-"));
  }

  /** Starts a new case: empty folders, and an empty table. */
  reset(): void {
    for (const name of readdirSync(this.folder))
      rmSync(this.path(name), { recursive: true, force: true });
    for (const name of ["run", "proc/self/ns", "proc/net", "sys", "modules"])
      mkdirSync(this.path(name), { recursive: true });
    symlinkSync("net:[4026531840]", this.path("proc/self/ns/net"));
    symlinkSync("pid:[4026531836]", this.path("proc/self/ns/pid"));
    this.newProcess();
    this.newKernel();
    this.listeners.clear();
  }

  /** Gives the machine a kernel with an empty table. */
  newKernel(): void {
    this.kernel = new ModelKernel({ services: [] });
  }

  /** Prepares the machine for the same command once more: an empty table, and none of the files that the last run wrote. */
  again(): void {
    this.newKernel();
    this.listeners.clear();
    for (const name of ["run", "backup.json", "saved", "socket"])
      rmSync(this.path(name), { recursive: true, force: true });
    mkdirSync(this.path("run"));
  }

  /** The names of all files, relative to the folder. */
  files(): string[] {
    return readdirSync(this.folder, { recursive: true, encoding: "utf8" });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** From now on the process with our number is another one: locks of the last run are stale. */
  newProcess(): void {
    this.addProcess(process.pid, ++this.#processStart);
  }

  /** Writes /proc/PID/stat. */
  addProcess(pid: number, start: number): void {
    mkdirSync(this.path(`proc/${pid}`), { recursive: true });
    const before = Array<number>(18).fill(0).join(" ");
    this.write(`proc/${pid}/stat`, `${pid} (node) S ${before} ${start} 0\n`);
  }

  /** @param text one character per byte */
  write(name: string, text: string): void {
    writeFileSync(this.path(name), text, "latin1");
  }

  /** The text of a file, one character per byte; undefined if there is none. */
  read(name: string): string | undefined {
    try {
      return readFileSync(this.path(name), "latin1");
    } catch {
      return undefined;
    }
  }

  /** Runs a command line. */
  async run(line: CommandLine, options: RunOptions = {}): Promise<Result> {
    const traffic: Traffic = { sent: 0, received: 0 };
    const clock = new VirtualClock();
    const { signal } = options;
    let waits = 0;
    clock.onSleep = () => {
      if (signal) this.signal(signal);
      if (options.changesMeanwhile) this.#change(++waits);
    };
    const io = { ...this.#io(options, traffic), clock, ...options.io };
    let patience: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_, reject) => {
      patience = setTimeout(() => {
        reject(new Error("it never ends"));
      }, PATIENCE_MILLISECONDS);
    });
    // A server for HTTP catches signals a moment later.
    const later =
      signal && setInterval(() => this.signal(signal), SIGNAL_MILLISECONDS);
    let stdout = "";
    let stderr = "";
    const streams: Partial<Io> = {
      stdout: (text) => (stdout += text),
      stdoutBytes: (bytes) => (stdout += bytes.toString("latin1")),
      stderr: (text) => (stderr += text),
    };
    try {
      const { stdin } = line;
      const run = runIn(
        {
          stdin: stdin === undefined ? [] : [linesOf(stdin)],
          io: { ...streams, ...io },
        },
        (io) => start(line, io, clock),
      );
      const { status } = await Promise.race([run, tooLong]);
      return { status, stdout, stderr, traffic };
    } catch (thrown) {
      return { status: undefined, stdout, stderr, thrown, traffic };
    } finally {
      clearTimeout(patience);
      clearInterval(later);
    }
  }

  /** Changes the table as another program would. */
  #change(count: number): void {
    const service: ServiceKey = {
      family: INET,
      firewallMark: 1 + (count % 2),
    };
    const settings = serviceEntry(service).settings;
    const add = { command: "add-service", service, settings } as const;
    if (changeKernel(this.kernel, add) !== undefined)
      changeKernel(this.kernel, { command: "delete-service", service });
  }

  /** Sends a signal to the program. @returns whether it catches signals */
  signal(signal: EndingSignal): boolean {
    for (const listen of [...this.listeners]) listen(signal);
    return this.listeners.size > 0;
  }

  #io(
    { faults = [], random = new Random(0), refusal, step }: RunOptions,
    traffic: Traffic,
  ): Partial<Io> {
    const handler = answersOf(this.kernel, refusal);
    return {
      openLink: (family) =>
        new FaultyLink(
          family === NETLINK_ROUTE ? emptyNetwork() : scriptedKernel(handler),
          faults,
          traffic,
          random,
          step,
        ),
      connectionsFile: this.path("proc/net/ip_vs_conn"),
      kernelTable: () => {
        const text = this.read("proc/net/ip_vs");
        return text === undefined ? undefined : Buffer.from(text, "latin1");
      },
      procFolder: this.path("proc"),
      runFolder: this.path("run"),
      sysFolder: this.path("sys"),
      modulesFolder: this.path("modules"),
      catchSignals: (listen) => {
        this.listeners.add(listen);
        return () => this.listeners.delete(listen);
      },
    };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

async function start(
  { words, program }: CommandLine,
  io: Io,
  clock: VirtualClock,
): Promise<number> {
  if (program === "ipvsadm-save")
    return mainSave(words, { ...io, program: () => program });
  if (program === "ipvsadm-restore")
    return mainRestore({ ...io, program: () => program });
  return main(words, io, (words) =>
    words[0] === "watch" || words[0] === "monitor"
      ? finish(io, () => runSubcommand(withClock(clock), words, io))
      : mainSubcommands(words, io),
  );
}

/** The subcommands that have a clock of their own, with ours. */
function withClock(clock: VirtualClock): Registry {
  const time = {
    now: () => clock.now() / 1000,
    date: () => new Date(2024, 0, 2, 3, 4, 5),
    sleep: (seconds: number, signal: AbortSignal) =>
      clock.sleep(seconds * 1000, signal),
  };
  return {
    ...REGISTRY,
    loaders: {
      ...REGISTRY.loaders,
      watch: () => Promise.resolve({ run: (call) => watch(call, time) }),
      monitor: () => Promise.resolve({ run: (call) => monitor(call, time) }),
    },
  };
}

/** A machine without interfaces. */
function emptyNetwork(): ScriptedLink {
  const DUMP = 0x300;
  return new ScriptedLink((requests) =>
    requests.map((sent) =>
      (sent.flags & DUMP) === DUMP ? done(sent) : ack(sent),
    ),
  );
}
