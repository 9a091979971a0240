import type { ClassicIo } from "./io.js";

/** Shorter work shows no progress. */
const PATIENCE_MILLISECONDS = 1000;
/** Time between two updates of the line. */
const PERIOD_MILLISECONDS = 200;
/**
 * The line must not wrap, because a wrapped line cannot be erased. Few terminals are narrower than
 * this.
 */
const LONGEST_LINE = 60;

/** The environment variable that turns progress off with `never`. */
const VARIABLE = "IPVSADM_PROGRESS";

/** Describes the progress of work after some seconds; undefined shows nothing. */
export type Describe = (seconds: number) => string | undefined;

/**
 * Shows the progress of long work, in one line at the bottom of the terminal. The line is erased
 * when the work is done. Writes nothing if stderr is not a terminal.
 */
export class Progress<World extends ClassicIo = ClassicIo> {
  /** An Io for the work. It erases the line before other output, and counts name lookups. */
  readonly io: World;
  readonly #io: ClassicIo;
  /** The start of the first work: several short pieces of work count together. */
  #began: number | undefined;
  #drawn: number | undefined;
  #shown = false;
  /** Whether progress can be shown. Determined when it is first needed, because that takes time. */
  #wanted: boolean | undefined;
  #work: { readonly since: number; readonly describe: Describe } | undefined;
  readonly #names = { asked: 0, known: 0 };
  #stop: (() => void) | undefined;

  constructor(io: World) {
    this.#io = io;
    this.io = {
      ...io,
      stdout: (text) => {
        this.#erase();
        io.stdout(text);
      },
      stdoutBytes: (bytes) => {
        this.#erase();
        io.stdoutBytes(bytes);
      },
      stderr: (text) => {
        this.#erase();
        io.stderr(text);
      },
      names: {
        ...io.names,
        hostName: (address) => this.#named(io.names.hostName(address)),
        hostAddress: (name) => this.#named(io.names.hostAddress(name)),
      },
    };
  }

  /** Starts a piece of work. If it runs without pauses, it must call step() now and then. */
  begin(describe: Describe): void {
    this.#work = { since: this.#io.clock.now(), describe };
    this.#watch();
  }

  /** Updates the line, if it is time. */
  step(): void {
    if (this.#began === undefined || this.#wanted === false) return;
    const now = this.#io.clock.now();
    if (now - this.#began < PATIENCE_MILLISECONDS) return;
    if (this.#drawn !== undefined && now - this.#drawn < PERIOD_MILLISECONDS)
      return;
    if (!(this.#wanted ??= isWanted(this.#io))) return;
    const text = this.#describe(now);
    if (text === undefined) return;
    this.#drawn = now;
    this.#shown = true;
    const line = `ipvsadm: ${text}`.slice(0, LONGEST_LINE);
    this.#io.stderr(`\r${line}\x1b[K`);
  }

  /** Ends the work. */
  end(): void {
    this.#work = undefined;
    this.#rest();
    this.#erase();
  }

  #describe(now: number): string | undefined {
    if (this.#work) return this.#work.describe((now - this.#work.since) / 1000);
    const { asked, known } = this.#names;
    return known < asked ? `resolving: ${known} of ${asked} names` : undefined;
  }

  async #named<T>(answer: Promise<T>): Promise<T> {
    this.#names.asked++;
    this.#watch();
    try {
      return await answer;
    } finally {
      this.#names.known++;
      this.step();
      if (this.#names.known === this.#names.asked && !this.#work) this.#rest();
    }
  }

  #watch(): void {
    const { clock } = this.#io;
    this.#began ??= clock.now();
    this.#stop ??= clock.every(PERIOD_MILLISECONDS, () => {
      this.step();
    });
  }

  #rest(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #erase(): void {
    if (!this.#shown) return;
    this.#shown = false;
    this.#io.stderr("\r\x1b[K");
  }
}

/** Whether stderr is a terminal that can erase a line, and the user did not turn progress off. */
function isWanted(io: ClassicIo): boolean {
  return (
    io.environment(VARIABLE) !== "never" &&
    (io.environment("TERM") ?? "dumb") !== "dumb" &&
    io.terminal.isTerminal("stderr")
  );
}

/** Formats a count and its rate: `12288 lines, 4096/s` */
export function counted(count: number, unit: string, seconds: number): string {
  const rate = seconds > 0 ? `, ${Math.round(count / seconds)}/s` : "";
  return `${count} ${unit}${rate}`;
}
