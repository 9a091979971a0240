import { Chalk } from "chalk";
import type { Io } from "../runtime/io.js";

/** What a piece of text means. Its color follows from that. */
export type Style =
  | "good"
  | "warning"
  | "bad"
  | "dim"
  | "title"
  | "strong"
  | "name"
  /** The selected line of a full screen */
  | "selected";

/** A function for each style, which returns the text with or without color. */
export type Paint = Readonly<Record<Style, (text: string) => string>>;

const unchanged = (text: string) => text;

/** No colors. */
export const PLAIN: Paint = {
  good: unchanged,
  warning: unchanged,
  bad: unchanged,
  dim: unchanged,
  title: unchanged,
  strong: unchanged,
  name: unchanged,
  selected: unchanged,
};

/** The 16 basic colors: every terminal has them, and its theme keeps them readable. */
function colored(): Paint {
  const chalk = new Chalk({ level: 1 });
  return {
    good: chalk.green,
    warning: chalk.yellow,
    bad: chalk.red.bold,
    dim: chalk.dim,
    title: chalk.bold.underline,
    strong: chalk.bold,
    name: chalk.cyan,
    selected: chalk.inverse,
  };
}

/**
 * Decides whether a stream gets colors. With `--color auto` it does if it is a terminal, TERM is not `dumb` and NO_COLOR
 * is not set.
 *
 * @param when the value of `--color`
 * @see https://no-color.org
 */
export function decideColor(
  when: string,
  stream: "stdout" | "stderr",
  io: Pick<Io, "terminal" | "environment">,
): boolean {
  if (when !== "auto") return when === "always";
  if (io.environment("NO_COLOR")) return false;
  return io.terminal.isTerminal(stream) && io.environment("TERM") !== "dumb";
}

/** Returns the colors of a stream. @param when the value of `--color` */
export function paintFor(
  when: string,
  stream: "stdout" | "stderr",
  io: Pick<Io, "terminal" | "environment">,
): Paint {
  return decideColor(when, stream, io) ? colored() : PLAIN;
}
