import { execFileSync } from "node:child_process";
import { eventually } from "./eventually.js";

/** How long a program may take to show something: starting Node.js takes a second in a guest, and others may be busy. */
const PATIENCE_SECONDS = 20;

let panes = 0;

const SHELL = "env PS1='ready> ' HISTFILE= bash --norc --noprofile";

/** A real terminal: a pane of tmux, whose server is its own. */
export class Pane implements Disposable {
  readonly #server = `ipvsadm-test-${process.pid}-${++panes}`;

  /** @param command what runs in it; without, a shell whose prompt is `ready> ` */
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

  /** Presses keys by the names that tmux has for them: `Up`, `C-c`, `Enter`. */
  press(...keys: readonly string[]): void {
    this.#tmux("send-keys", "--", ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux(...["resize-window", "-x", String(columns), "-y", String(rows)]);
  }

  /** What is to be seen. @param colored with the escape sequences of the colors */
  text(colored = false): string {
    return this.#tmux("capture-pane", "-p", ...(colored ? ["-e"] : []));
  }

  /** One of tmux's own variables: `cursor_flag`, `alternate_on`. */
  variable(name: string): string {
    return this.#tmux("display-message", "-p", `#{${name}}`).trim();
  }

  /** The same without the empty lines at its end. */
  get screen(): string {
    return this.text().trimEnd();
  }

  /** Waits until something is to be seen. @returns what is seen then @throws if it does not come */
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
