import type { Style } from "../../cli/color.js";
import type { CommandResult, ServerCommand } from "./server-commands.js";

/** A line of the log, for the screen. */
export interface LogLine {
  readonly text: string;
  readonly style: Style | undefined;
}

/** The most lines of the last entry that the screen shows. */
const SHOWN_LINES = 3;

/** What the user changed, or tried to. The screen shows the last entry. All changes are printed when watch ends. */
export class ChangeLog {
  #shown: readonly LogLine[] = [];
  #isMessage = false;
  readonly #record: string[] = [];

  /** The last entry. */
  get shown(): readonly LogLine[] {
    return this.#shown;
  }

  /** The commands that were run, and their results. */
  get record(): readonly string[] {
    return this.#record;
  }

  /** Shows a message. */
  say(text: string, style?: Style): void {
    this.#shown = [{ text, style }];
    this.#isMessage = true;
  }

  /** Drops a message that was read. Results of commands stay. */
  dropMessage(): void {
    if (this.#isMessage) this.#shown = [];
  }

  /** Records the result of a command. */
  add(
    date: Date,
    { line }: ServerCommand,
    { lines, succeeded }: CommandResult,
  ): void {
    const time = clockText(date);
    this.#isMessage = false;
    this.#shown = lines.slice(0, SHOWN_LINES).map((text, i) => ({
      text: i === 0 ? `${time} ${text}` : text,
      style: succeeded ? (i === 0 ? "good" : "warning") : "bad",
    }));
    this.#record.push(`${time} ${line}`, ...lines.map((text) => `  ${text}`));
  }
}

/** The time of day: `15:04:05` */
export function clockText(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((n) => String(n).padStart(2, "0"))
    .join(":");
}
