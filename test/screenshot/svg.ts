/**
 * Draws a terminal as SVG: the text of `tmux capture-pane -p -e` with its colors. Each character
 * has its own position, so the picture is right with every font. Bars are drawn as shapes.
 */

/** The style of characters until an escape sequence changes it. */
interface Look {
  readonly color: string | undefined;
  readonly background: string | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly underlined: boolean;
  readonly reversed: boolean;
}

const USUAL: Look = {
  color: undefined,
  background: undefined,
  bold: false,
  dim: false,
  underlined: false,
  reversed: false,
};

const INK = "#d8dee9";
const PAPER = "#1e222a";
const COLORS = [
  ...["#3b4252", "#e06c75", "#98c379", "#e5c07b"],
  ...["#61afef", "#c678dd", "#56b6c2", "#d8dee9"],
];
const BRIGHT = [
  ...["#5c6370", "#ff7a85", "#b5e890", "#ffd88a"],
  ...["#82c4ff", "#d9a0f0", "#7fdbe6", "#ffffff"],
];

const CELL = { width: 8.4, height: 18, font: 14, baseline: 13.5 };
const MARGIN = 12;
const BARS = "▁▂▃▄▅▆▇█";

interface Run {
  readonly text: string;
  readonly look: Look;
  readonly column: number;
}

/** @param title the description for screen readers */
export function svgOf(captured: string, title: string): string {
  const lines = captured.replace(/\n+$/, "").split("\n");
  const state = { look: USUAL };
  const runs = lines.map((line) => runsOf(line, state));
  const columns = Math.max(
    ...runs.map((line) =>
      line.reduce(
        (most, { text, column }) =>
          Math.max(most, column + Array.from(text).length),
        0,
      ),
    ),
  );
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN);
  const height = lines.length * CELL.height + 2 * MARGIN;
  const drawn = runs.flatMap((line, row) =>
    line.flatMap((run) => drawnRun(run, row)),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="6" fill="${PAPER}"/>`,
    `<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${CELL.font}" fill="${INK}" xml:space="preserve">`,
    ...drawn,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/** The pieces of a line with the same style. */
function runsOf(line: string, state: { look: Look }): Run[] {
  const runs: Run[] = [];
  let column = 0;
  // eslint-disable-next-line no-control-regex
  for (const part of line.split(/(\x1b\[[0-9;]*m)/)) {
    const codes = /^\x1b\[([0-9;]*)m$/.exec(part)?.[1]; // eslint-disable-line no-control-regex
    if (codes !== undefined) {
      state.look = changed(state.look, codes.split(";").map(Number));
    } else if (part !== "") {
      runs.push({ text: part, look: state.look, column });
      column += Array.from(part).length;
    }
  }
  return runs;
}

/** The style after a Select Graphic Rendition sequence (ECMA-48). */
function changed(look: Look, codes: readonly number[]): Look {
  return codes.reduce((before, code): Look => {
    if (code === 0) return USUAL;
    if (code === 1) return { ...before, bold: true };
    if (code === 2) return { ...before, dim: true };
    if (code === 4) return { ...before, underlined: true };
    if (code === 7) return { ...before, reversed: true };
    if (code === 22) return { ...before, bold: false, dim: false };
    if (code === 24) return { ...before, underlined: false };
    if (code === 27) return { ...before, reversed: false };
    if (code === 39) return { ...before, color: undefined };
    if (code === 49) return { ...before, background: undefined };
    if (code >= 30 && code <= 37)
      return { ...before, color: COLORS[code - 30] };
    if (code >= 40 && code <= 47)
      return { ...before, background: COLORS[code - 40] };
    if (code >= 90 && code <= 97)
      return { ...before, color: BRIGHT[code - 90] };
    return before;
  }, look);
}

function drawnRun({ text, look, column }: Run, row: number): string[] {
  const letters = Array.from(text);
  const left = MARGIN + column * CELL.width;
  const top = MARGIN + row * CELL.height;
  const [ink, paper] = look.reversed
    ? [look.background ?? PAPER, look.color ?? INK]
    : [look.color ?? INK, look.background];
  const opacity = look.dim ? ' opacity="0.55"' : "";
  const drawn: string[] = [];
  if (paper !== undefined)
    drawn.push(
      `<rect x="${rounded(left)}" y="${top}" width="${rounded(letters.length * CELL.width)}" height="${CELL.height}" fill="${paper}"/>`,
    );
  letters.forEach((letter, i) => {
    const eighths = BARS.indexOf(letter) + 1;
    if (eighths === 0) return;
    const height = (eighths / 8) * (CELL.height - 4);
    drawn.push(
      `<rect x="${rounded(left + i * CELL.width)}" y="${rounded(top + CELL.height - 2 - height)}" width="${rounded(CELL.width - 0.6)}" height="${rounded(height)}" fill="${ink}"${opacity}/>`,
    );
  });
  for (const { word, at } of wordsOf(letters)) {
    const x = rounded(left + at * CELL.width);
    const length = rounded(word.length * CELL.width);
    const looks = [
      ink === INK ? "" : ` fill="${ink}"`,
      look.bold ? ' font-weight="bold"' : "",
      look.underlined ? ' text-decoration="underline"' : "",
      opacity,
    ].join("");
    drawn.push(
      `<text x="${x}" y="${top + CELL.baseline}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${looks}>${escaped(word.join(""))}</text>`,
    );
  }
  return drawn;
}

/**
 * Words between two or more spaces, without bars. Inside such a text, positions follow from its
 * length.
 */
function wordsOf(letters: readonly string[]) {
  const text = letters.map((one) => (BARS.includes(one) ? " " : one));
  const words: { word: string[]; at: number }[] = [];
  text.forEach((letter, i) => {
    if (letter === " ") return;
    const last = words.at(-1);
    if (last && last.at + last.word.length === i) last.word.push(letter);
    else if (last && last.at + last.word.length + 1 === i)
      last.word.push(" ", letter);
    else words.push({ word: [letter], at: i });
  });
  return words;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
