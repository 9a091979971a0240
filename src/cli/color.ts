import { Chalk, type ChalkInstance } from "chalk";
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

/** How a style looks. A color is a number of the palette with 256 colors; the first 16 are those of the terminal's theme. */
export interface Look {
  readonly color?: number;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly underline?: boolean;
  readonly inverse?: boolean;
}

const WITHOUT_COLOR: Record<"title" | "strong" | "selected", Look> = {
  title: { bold: true, underline: true },
  strong: { bold: true },
  selected: { inverse: true },
};

/**
 * The looks of all styles, by what is known of the terminal. Colors of a theme are readable on a background either dark or
 * light, so they depend on it. The other 240 colors are the same everywhere: these are readable on both.
 */
export const LOOKS: Readonly<
  Record<
    "fixed colors" | "dark theme" | "light theme",
    Readonly<Record<Style, Look>>
  >
> = {
  "fixed colors": {
    good: { color: 29 },
    warning: { color: 130 },
    bad: { color: 196, bold: true },
    dim: { color: 244 },
    name: { color: 31 },
    ...WITHOUT_COLOR,
  },
  "dark theme": {
    good: { color: 2 },
    warning: { color: 3 },
    bad: { color: 1, bold: true },
    dim: { dim: true },
    name: { color: 6 },
    ...WITHOUT_COLOR,
  },
  "light theme": {
    good: { color: 4 },
    warning: { color: 5 },
    bad: { color: 1, bold: true },
    dim: { dim: true },
    name: { color: 4 },
    ...WITHOUT_COLOR,
  },
};

/** What is known of the terminal. TERM or COLORTERM name its colors; some terminals tell their background in COLORFGBG. */
export function looksOf(
  io: Pick<Io, "environment">,
): Readonly<Record<Style, Look>> {
  const term = io.environment("TERM") ?? "";
  const colorTerm = io.environment("COLORTERM") ?? "";
  if (/256color|direct/.test(term) || /truecolor|24bit/.test(colorTerm))
    return LOOKS["fixed colors"];
  const background = /;([0-9]+)$/.exec(io.environment("COLORFGBG") ?? "")?.[1];
  return LOOKS[
    background === "7" || Number(background) > 8 ? "light theme" : "dark theme"
  ];
}

/** The names of the colors of the theme, which every terminal understands. */
const BASIC = [
  "black",
  "red",
  "green",
  "yellow",
  "blue",
  "magenta",
  "cyan",
  "white",
] as const;

function paintWith(looks: Readonly<Record<Style, Look>>): Paint {
  const chalk = new Chalk({ level: 2 });
  const painter = ({ color, bold, dim, underline, inverse }: Look) => {
    let paint: ChalkInstance = chalk;
    const basic = color === undefined ? undefined : BASIC[color];
    if (basic) paint = paint[basic];
    else if (color !== undefined) paint = paint.ansi256(color);
    if (dim) paint = paint.dim;
    if (bold) paint = paint.bold;
    if (underline) paint = paint.underline;
    if (inverse) paint = paint.inverse;
    return (text: string) => paint(text);
  };
  return {
    good: painter(looks.good),
    warning: painter(looks.warning),
    bad: painter(looks.bad),
    dim: painter(looks.dim),
    title: painter(looks.title),
    strong: painter(looks.strong),
    name: painter(looks.name),
    selected: painter(looks.selected),
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
  return decideColor(when, stream, io) ? paintWith(looksOf(io)) : PLAIN;
}
