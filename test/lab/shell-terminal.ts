import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { eventually } from "./eventually.js";

/** A shell in a terminal of its own, at which keys are pressed. */
export class ShellTerminal {
  readonly #socket: string;

  /**
   * @param name a word to tell it from others that run
   * @param command what runs in it
   */
  constructor(name: string, command: string, columns = 120, rows = 30) {
    this.#socket = `ipvsadm-${process.pid}-${name}`;
    this.#tmux(
      "-f/dev/null",
      "new-session",
      "-d",
      `-x${columns}`,
      `-y${rows}`,
      command,
    );
  }

  /** Types a text as it stands. */
  type(text: string): void {
    this.#tmux("send-keys", "-l", "--", text);
  }

  /** Presses keys by the names that tmux has for them: `Tab`, `Enter`, `C-c`. */
  press(...keys: string[]): void {
    this.#tmux("send-keys", "--", ...keys);
  }

  /** What the terminal shows. */
  get screen(): string {
    return this.#tmux("capture-pane", "-p").trimEnd();
  }

  /** What it shows as soon as that matches. @throws with what it shows at last */
  async shows(pattern: RegExp, seconds = 60): Promise<string> {
    const screen = await eventually(
      () => Promise.resolve(this.screen),
      (screen) => pattern.test(screen),
      seconds,
    );
    assert.match(screen, pattern);
    return screen;
  }

  close(): void {
    this.#tmux("kill-server");
  }

  #tmux(...words: string[]): string {
    return execFileSync("tmux", ["-L", this.#socket, "-u", ...words], {
      encoding: "utf8",
    });
  }
}
