import type { Io } from "../../runtime/io.js";
import type { FullScreen, TerminalEvent } from "../../system/full-screen.js";
import { toBytes } from "../../cli/escape.js";

/* Control sequences of ECMA-48 and xterm. All current terminals understand them. */
const ALTERNATE_SCREEN = "\x1b[?1049h";
const MAIN_SCREEN = "\x1b[?1049l";
const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const RESET_COLORS = "\x1b[0m";
const CURSOR_HOME = "\x1b[H";
const CLEAR_LINE_REST = "\x1b[K";
const CLEAR_SCREEN_REST = "\x1b[J";
const CLEAR_SCREEN = "\x1b[2J";

/**
 * Uses the terminal for a full screen: raw mode, the alternate screen, no cursor. The terminal is restored however the
 * process ends, except by SIGKILL.
 */
export class TerminalSession {
  readonly #io: Pick<Io, "stdout" | "flush">;
  readonly #terminal: FullScreen;
  #entered = false;

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
   * Draws lines, which must fit the screen. One write avoids flicker.
   *
   * @returns whether the write succeeded
   */
  draw(lines: readonly string[], columns: number): boolean {
    const text = lines
      .map((line) => {
        // After the last column, some terminals would clear the character in it.
        const full = visibleLength(line) >= columns;
        return full ? line : line + CLEAR_LINE_REST;
      })
      .join("\r\n");
    return this.#write(CURSOR_HOME + text + CLEAR_SCREEN_REST);
  }

  /** Clears what other programs have written on the screen. */
  clear(): void {
    this.#write(CLEAR_SCREEN);
  }

  /** Suspends the process as Ctrl-Z does. The terminal is restored meanwhile. */
  stop(): void {
    this.#leave();
    this.#terminal.stop();
    this.resume();
  }

  /** Takes the terminal again after the process was suspended, because the shell has changed its mode. */
  resume(): void {
    this.#leave();
    this.#enter();
    this.#terminal.askSize();
  }

  /** Restores the terminal. */
  [Symbol.dispose](): void {
    this.#leave();
    this.#terminal.release();
  }

  #enter(): void {
    this.#terminal.setRaw(true);
    this.#entered = true;
    this.#write(ALTERNATE_SCREEN + HIDE_CURSOR + CLEAR_SCREEN);
  }

  #leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    this.#write(RESET_COLORS + SHOW_CURSOR + MAIN_SCREEN);
    this.#terminal.setRaw(false);
  }

  #write(text: string): boolean {
    try {
      this.#io.stdout(toBytes(text));
      return this.#io.flush() === undefined;
    } catch {
      return false; // The terminal is gone. The caller ends.
    }
  }
}

/** The width of a line without its colors. */
function visibleLength(line: string): number {
  return Array.from(line.replace(/\x1b\[[0-9;]*m/g, "")).length; // eslint-disable-line no-control-regex
}
