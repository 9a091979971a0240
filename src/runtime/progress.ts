import type { ClassicIo } from "./io.js";

/** Work that is done sooner shows nothing. */
const PATIENCE_MILLISECONDS = 1000;
/** How often the line is written anew. */
const PERIOD_MILLISECONDS = 200;
/** The line must not wrap, for then it could not be taken away; narrower terminals than this are rare. */
const LONGEST_LINE = 60;

/** By this variable people turn progress off: `never`. */
const VARIABLE = "IPVSADM_PROGRESS";

/** Says how far the work is that has gone on for some seconds; undefined: that is not to be shown. */
export type Describe = (seconds: number) => string | undefined;

/**
 * Shows how far long work is: in a line at the bottom of the terminal that stderr is, which is gone when the work is
 * done. Where stderr is no terminal nothing is written.
 */
export class Progress<World extends ClassicIo = ClassicIo> {
  /**
   * The world for those who work: the line is taken away before they write something else, and the names that they
   * ask for are counted.
   */
  readonly io: World;
  readonly #io: ClassicIo;
  /** When the first work began: many short ones are a long one, too. */
  #began: number | undefined;
  #drawn: number | undefined;
  #shown = false;
  /** Whether there is a place for it. Found out when it is needed, for that takes time. */
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

  /** Some work begins. Where it takes no pauses, `step` must be called now and then. */
  begin(describe: Describe): void {
    this.#work = { since: this.#io.clock.now(), describe };
    this.#watch();
  }

  /** Shows the line, if it is time. */
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

  /** The work is done. */
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

/** Whether stderr is a terminal that can erase a line, and nobody turned progress off. */
function isWanted(io: ClassicIo): boolean {
  return (
    io.environment(VARIABLE) !== "never" &&
    (io.environment("TERM") ?? "dumb") !== "dumb" &&
    io.terminal.isTerminal("stderr")
  );
}

/** `12288 lines, 4096/s` */
export function counted(count: number, unit: string, seconds: number): string {
  const rate = seconds > 0 ? `, ${Math.round(count / seconds)}/s` : "";
  return `${count} ${unit}${rate}`;
}
