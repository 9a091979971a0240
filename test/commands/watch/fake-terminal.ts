import { environmentOf } from "../../classic/scripted-io.js";
import type { Io } from "../../../src/runtime/io.js";
import type {
  FullScreen,
  TerminalEvent,
} from "../../../src/system/full-screen.js";

/** A terminal that records what is done to it, and on which a test presses keys. */
export class FakeTerminal {
  /** What was done, in its order: `raw`, `cooked`, `stop`, `ask size`, `released` */
  readonly log: string[] = [];
  /** Everything written so far */
  written = "";
  size = { columns: 80, rows: 24 };
  #listen: ((event: TerminalEvent) => void) | undefined;
  #lastly: (() => void) | undefined;

  happens(event: TerminalEvent): void {
    if (!this.#listen) throw new Error("the terminal is not taken");
    this.#listen(event);
  }

  press(bytes: string): void {
    this.happens({ kind: "input", bytes });
  }

  /** What the process does before it ends without having released the terminal. */
  endOfProcess(): void {
    this.#lastly?.();
  }

  /** The lines of the last frame. */
  get frame(): string[] {
    const [, frame = ""] = /.*\x1b\[H(.*?)\x1b\[J/s.exec(this.written) ?? []; // eslint-disable-line no-control-regex
    return frame.replace(/\x1b\[[0-9;]*[mK]/g, "").split("\r\n"); // eslint-disable-line no-control-regex
  }

  /** What of the world outside is a terminal's. */
  io(environment: Readonly<Record<string, string>> = {}): Partial<Io> {
    return {
      terminal: { isTerminal: () => true, size: () => this.size },
      environment: environmentOf(environment),
      enterFullScreen: (listen, lastly): FullScreen => {
        this.#listen = listen;
        this.#lastly = lastly;
        return {
          setRaw: (raw) => this.log.push(raw ? "raw" : "cooked"),
          stop: () => this.log.push("stop"),
          askSize: () => this.log.push("ask size"),
          release: () => {
            this.#listen = undefined;
            this.log.push("released");
          },
        };
      },
      stdout: (text) => {
        this.written += Buffer.from(text, "latin1").toString();
      },
    };
  }
}
