import { execFileSync } from "node:child_process";
import { eventually } from "./eventually.js";

/** How long a program may take to show something: starting Node.js takes a second in a guest, and others may be busy. */
const PATIENCE_SECONDS = 20;

let panes = 0;

/** A real terminal with a shell in it: a pane of tmux, whose server is its own. */
export class Pane implements Disposable {
  readonly #server = `ipvsadm-test-${process.pid}-${++panes}`;

  /** @param environment variables that the shell is to have, more than this process has */
  constructor(
    columns: number,
    rows: number,
    environment: Readonly<Record<string, string>> = {},
  ) {
    const variables = { ...environment, PS1: "ready> ", HISTFILE: "" };
    this.#tmux(
      ...["-u", "-f", "/dev/null", "new-session", "-d"],
      ...["-x", String(columns), "-y", String(rows)],
      ...Object.entries(variables).flatMap(([name, value]) => [
        "-e",
        `${name}=${value}`,
      ]),
      ...["bash", "--norc", "--noprofile"],
    );
    this.#tmux("set-option", "-g", "remain-on-exit", "on");
  }

  /** Types a text. */
  type(text: string): void {
    this.#tmux("send-keys", "-l", "--", text);
  }

  /** Presses keys by the names that tmux has for them: `Up`, `C-c`, `Enter`. */
  press(...keys: readonly string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux(...["resize-window", "-x", String(columns), "-y", String(rows)]);
  }

  /** What is to be seen. @param coloured with the escape sequences of the colours */
  text(coloured = false): string {
    return this.#tmux("capture-pane", "-p", ...(coloured ? ["-e"] : []));
  }

  /** One of tmux's own variables: `cursor_flag`, `alternate_on`. */
  variable(name: string): string {
    return this.#tmux("display-message", "-p", `#{${name}}`).trim();
  }

  /** Waits until something is to be seen. @returns what is seen then @throws if it does not come */
  async shows(wanted: RegExp | ((text: string) => boolean)): Promise<string> {
    const isThere = (text: string) =>
      typeof wanted === "function" ? wanted(text) : wanted.test(text);
    const text = await eventually(
      () => Promise.resolve(this.text()),
      isThere,
      PATIENCE_SECONDS,
    );
    if (!isThere(text))
      throw new Error(`${String(wanted)} did not appear, but\n${text}`);
    return text;
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
