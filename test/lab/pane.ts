import { execFileSync } from "node:child_process";
import { eventually } from "./eventually.js";

/**
 * Timeout for output. Starting Node.js takes a second in a guest, and other processes may be busy.
 */
const PATIENCE_SECONDS = 180;

let panes = 0;

const SHELL = "env PS1='ready> ' HISTFILE= bash --norc --noprofile";

/** A real terminal: a pane of tmux with a server of its own. */
export class Pane implements Disposable {
  readonly #server = `ipvsadm-test-${process.pid}-${++panes}`;

  /** @param command what to run; by default a shell with the prompt `ready> ` */
  constructor(columns: number, rows: number, command = SHELL) {
    this.#tmux(
      ...["-u", "-f", "/dev/null", "new-session", "-d"],
      ...["-x", String(columns), "-y", String(rows), command],
    );
    this.#tmux("set-option", "-g", "remain-on-exit", "on");
  }

  /** Types a text. */
  type(text: string): void {
    this.#tmux("send-keys", "-l", "--", text);
  }

  /** Presses keys by their tmux names: `Up`, `C-c`, `Enter`. */
  press(...keys: readonly string[]): void {
    this.#tmux("send-keys", "--", ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux(...["resize-window", "-x", String(columns), "-y", String(rows)]);
  }

  /** The text on the screen. @param colored with the escape sequences of colors */
  text(colored = false): string {
    return this.#tmux("capture-pane", "-p", ...(colored ? ["-e"] : []));
  }

  /** The value of a tmux variable, such as `cursor_flag` or `alternate_on`. */
  variable(name: string): string {
    return this.#tmux("display-message", "-p", `#{${name}}`).trim();
  }

  /** The text on the screen without empty lines at the end. */
  get screen(): string {
    return this.text().trimEnd();
  }

  /**
   * Waits until a text is on the screen.
   *
   * @returns the screen
   * @throws if it does not appear in time
   */
  async shows(
    wanted: RegExp | ((screen: string) => boolean),
    seconds = PATIENCE_SECONDS,
  ): Promise<string> {
    const isThere = (screen: string) =>
      typeof wanted === "function" ? wanted(screen) : wanted.test(screen);
    const screen = await eventually(
      () => Promise.resolve(this.screen),
      isThere,
      seconds,
    );
    if (!isThere(screen))
      throw new Error(`${String(wanted)} did not appear, but\n${screen}`);
    return screen;
  }

  [Symbol.dispose](): void {
    this.#tmux("kill-server");
  }

  #tmux(...words: readonly string[]): string {
    return execFileSync("tmux", ["-L", this.#server, ...words], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
}
