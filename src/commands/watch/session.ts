import type { Io } from "../../runtime/io.js";
import type { FullScreen, TerminalEvent } from "../../system/full-screen.js";
import { toBytes } from "../../cli/escape.js";

/* Control sequences of ECMA-48 and of xterm, which all terminals of today understand. */
const ALTERNATE_SCREEN = "\x1b[?1049h";
const USUAL_SCREEN = "\x1b[?1049l";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const NO_COLORS = "\x1b[0m";
const TO_THE_TOP = "\x1b[H";
const CLEAR_LINE_REST = "\x1b[K";
const CLEAR_SCREEN_REST = "\x1b[J";
const CLEAR_SCREEN = "\x1b[2J";

/**
 * A terminal taken over for a full screen: keys one by one, the alternate screen, no cursor. However the process
 * ends, short of SIGKILL, the terminal is given back as it was.
 */
export class Session {
  readonly #io: Pick<Io, "stdout" | "flush">;
  readonly #terminal: FullScreen;
  #shown = false;

  constructor(
    io: Pick<Io, "stdout" | "flush" | "enterFullScreen">,
    listen: (event: TerminalEvent) => void,
  ) {
    this.#io = io;
    this.#terminal = io.enterFullScreen(listen, () => {
      this.#leave();
    });
    this.#enter();
  }

  /**
   * Shows lines, none wider than the screen, with one write: nothing flickers.
   *
   * @returns whether they could be written
   */
  draw(lines: readonly string[], columns: number): boolean {
    const text = lines
      .map((line) => {
        // Behind the last column, some terminals would clear the character in it.
        const full = visibleLength(line) >= columns;
        return full ? line : line + CLEAR_LINE_REST;
      })
      .join("\r\n");
    return this.#write(TO_THE_TOP + text + CLEAR_SCREEN_REST);
  }

  /** Clears the screen of what others have written on it. */
  clear(): void {
    this.#write(CLEAR_SCREEN);
  }

  /** Stops the process as ctrl-Z does, the terminal given back meanwhile. */
  stop(): void {
    this.#leave();
    this.#terminal.stop();
    this.resume();
  }

  /** Takes the terminal anew after the process was stopped: the shell has changed its mode. */
  resume(): void {
    this.#leave();
    this.#enter();
    this.#terminal.askSize();
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    this.#leave();
    this.#terminal.release();
  }

  #enter(): void {
    this.#terminal.setRaw(true);
    this.#shown = true;
    this.#write(ALTERNATE_SCREEN + HIDE_CURSOR + CLEAR_SCREEN);
  }

  #leave(): void {
    if (!this.#shown) return;
    this.#shown = false;
    this.#write(NO_COLORS + SHOW_CURSOR + USUAL_SCREEN);
    this.#terminal.setRaw(false);
  }

  #write(text: string): boolean {
    try {
      this.#io.stdout(toBytes(text));
      return this.#io.flush() === undefined;
    } catch {
      return false; // nobody is there to read it: whoever watches is told by the terminal
    }
  }
}

/** The columns that a line takes, without what colors it. */
function visibleLength(line: string): number {
  return Array.from(line.replace(/\x1b\[[0-9;]*m/g, "")).length; // eslint-disable-line no-control-regex
}
