import { Chalk } from "chalk";
import type { Io } from "../runtime/io.js";

/** What a piece of text means. */
export type Style =
  "good" | "warning" | "bad" | "dim" | "title" | "strong" | "name";

/** How text of each meaning is shown: with color, or as it is. */
export type Paint = Readonly<Record<Style, (text: string) => string>>;

const asItIs = (text: string) => text;

/** No colors. */
export const PLAIN: Paint = {
  good: asItIs,
  warning: asItIs,
  bad: asItIs,
  dim: asItIs,
  title: asItIs,
  strong: asItIs,
  name: asItIs,
};

/** The sixteen colors, which every terminal has and its theme makes readable. */
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
  };
}

/**
 * Whether a stream gets colors: as `--color` says, and with `auto` if it is a terminal that has them and NO_COLOR
 * is not set.
 *
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

/** The colors of a stream. */
export function paintFor(
  when: string,
  stream: "stdout" | "stderr",
  io: Pick<Io, "terminal" | "environment">,
): Paint {
  return decideColor(when, stream, io) ? colored() : PLAIN;
}
