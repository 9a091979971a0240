/** A drawing of how packets go: boxes in columns, and arrows between them. */
export interface Drawing {
  /** One sentence that says what is to be seen, for readers without pictures. */
  readonly title: string;
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
}

/** A machine. */
export interface Box {
  readonly name: string;
  /** Its addresses. */
  readonly lines?: readonly string[];
  /** From the left: 0 for the client, 1 for the director. */
  readonly column: number;
  /** The first and the last row that the box covers, from the top. */
  readonly rows: readonly [number, number];
}

export interface Arrow {
  readonly kind: "request" | "answer" | "sync";
  /** Names of boxes. In one column the arrow is vertical and starts at the bottom of `from`. */
  readonly from: string;
  readonly to: string;
  /** The row in which a horizontal arrow runs. */
  readonly row?: number;
  readonly above?: readonly string[];
  readonly below?: readonly string[];
}

const ROW = 76;
const MARGIN = 12;
const PADDING = 14;
const LINE = 16;
const FEWEST_GAP = 150;
/** Widths of a character. */
const MONOSPACE = 7.25;
const BOLD = 8.5;

const KINDS = {
  request: "request",
  answer: "answer",
  sync: "state of connections",
} as const;

const STYLE = `
  text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; }
  .name, .legend { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
  .name { font-size: 15px; font-weight: 600; }
  rect { fill: #f6f8fa; stroke: #656d76; stroke-width: 1.5; }
  line { stroke-width: 2; }
  line.request { stroke: #0969da; } path.request { fill: #0969da; } text.request { fill: #0550ae; }
  line.answer { stroke: #1a7f37; } path.answer { fill: #1a7f37; } text.answer { fill: #116329; }
  line.sync { stroke: #9a6700; stroke-dasharray: 6 4; } path.sync { fill: #9a6700; } text.sync { fill: #7d4e00; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    rect { fill: #161b22; stroke: #8b949e; }
    line.request { stroke: #58a6ff; } path.request { fill: #58a6ff; } text.request { fill: #79c0ff; }
    line.answer { stroke: #3fb950; } path.answer { fill: #3fb950; } text.answer { fill: #7ee787; }
    line.sync { stroke: #d29922; } path.sync { fill: #d29922; } text.sync { fill: #e3b341; }
  }`;

/** Where a column begins, and how wide it is. */
interface Column {
  readonly left: number;
  readonly width: number;
}

/** Renders a drawing as SVG with a transparent ground, readable in light and dark. */
export function renderDrawing(drawing: Drawing): string {
  const columns = placeColumns(drawing);
  const last = columns.at(-1) ?? { left: 0, width: 0 };
  const width = Math.ceil(last.left + last.width + MARGIN);
  const rows = Math.max(...drawing.boxes.map(({ rows }) => rows[1])) + 1;
  const height = rows * ROW + 2 * MARGIN + LINE;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escape(drawing.title)}</title>`,
    `<style>${STYLE}\n</style>`,
    ...["request", "answer", "sync"].map(marker),
    ...drawing.boxes.map((box) => renderBox(box, columns)),
    ...drawing.arrows.map((arrow) => renderArrow(arrow, drawing, columns)),
    ...renderLegend(drawing, height - MARGIN),
    "</svg>",
  ].join("\n")}\n`;
}

/** Gives each column the width of its longest line, and each gap that of the longest label in it. */
function placeColumns({ boxes, arrows }: Drawing): Column[] {
  const count = Math.max(...boxes.map(({ column }) => column)) + 1;
  const columns: Column[] = [];
  let left = MARGIN;
  for (let index = 0; index < count; index++) {
    const here = boxes.filter(({ column }) => column === index);
    const width =
      2 * PADDING +
      Math.max(
        ...here.flatMap(({ name, lines = [] }) => [
          name.length * BOLD,
          ...lines.map((line) => line.length * MONOSPACE),
        ]),
      );
    columns.push({ left, width });
    const labels = arrows
      .filter(({ from, to }) => {
        const ends = [from, to].map((name) => boxOf(boxes, name).column);
        return Math.min(...ends) === index && Math.max(...ends) === index + 1;
      })
      .flatMap(({ above = [], below = [] }) => [...above, ...below]);
    const label = Math.max(0, ...labels.map((line) => line.length));
    left += width + Math.max(FEWEST_GAP, label * MONOSPACE + 3 * PADDING);
  }
  return columns;
}

function boxOf(boxes: readonly Box[], name: string): Box {
  const box = boxes.find((one) => one.name === name);
  if (!box) throw new Error(`no box ${name}`);
  return box;
}

function columnOf(columns: readonly Column[], box: Box): Column {
  const column = columns[box.column];
  if (!column) throw new Error(`no column for ${box.name}`);
  return column;
}

/** The top and the bottom of a box. */
function spanOf({ rows: [first, last] }: Box): [number, number] {
  return [MARGIN + first * ROW + 6, MARGIN + (last + 1) * ROW - 6];
}

function renderBox(box: Box, columns: readonly Column[]): string {
  const { left, width } = columnOf(columns, box);
  const [top, bottom] = spanOf(box);
  const lines = box.lines ?? [];
  const x = left + width / 2;
  const y = (top + bottom) / 2 - (lines.length * LINE) / 2 + 5;
  return [
    `<rect x="${left}" y="${top}" width="${width}" height="${bottom - top}" rx="6"/>`,
    `<text class="name" x="${x}" y="${y}" text-anchor="middle">${escape(box.name)}</text>`,
    ...lines.map(
      (line, index) =>
        `<text x="${x}" y="${y + (index + 1) * LINE + 1}" text-anchor="middle">${escape(line)}</text>`,
    ),
  ].join("\n");
}

function renderArrow(
  arrow: Arrow,
  { boxes }: Drawing,
  columns: readonly Column[],
): string {
  const from = boxOf(boxes, arrow.from);
  const to = boxOf(boxes, arrow.to);
  const start = columnOf(columns, from);
  const end = columnOf(columns, to);
  const { kind, row = 0, above = [], below = [] } = arrow;
  if (from.column === to.column) {
    const [y1, y2] = [spanOf(from)[1], spanOf(to)[0]];
    const x = start.left + start.width / 2;
    const y = (y1 + y2) / 2 + 4 - ((above.length - 1) * LINE) / 2;
    return [
      line(kind, x, y1, x, y2 - 3),
      ...above.map((text, index) =>
        label(kind, x + 10, y + index * LINE, "start", text),
      ),
    ].join("\n");
  }
  const right = to.column > from.column;
  const x1 = right ? start.left + start.width : start.left;
  const x2 = right ? end.left - 3 : end.left + end.width + 3;
  const y = MARGIN + row * ROW + ROW / 2;
  const middle = (x1 + x2) / 2;
  return [
    line(kind, x1, y, x2, y),
    ...above.map((text, index) =>
      label(
        kind,
        middle,
        y - 7 - (above.length - 1 - index) * LINE,
        "middle",
        text,
      ),
    ),
    ...below.map((text, index) =>
      label(kind, middle, y + 17 + index * LINE, "middle", text),
    ),
  ].join("\n");
}

function line(
  kind: string,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): string {
  return `<line class="${kind}" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" marker-end="url(#${kind})"/>`;
}

function label(
  kind: string,
  x: number,
  y: number,
  anchor: string,
  text: string,
): string {
  return `<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${escape(text)}</text>`;
}

function marker(kind: string): string {
  return `<marker id="${kind}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path class="${kind}" d="M 0 0 L 10 5 L 0 10 z"/></marker>`;
}

/** Says which color is what. */
function renderLegend({ arrows }: Drawing, y: number): string[] {
  const kinds = (["request", "answer", "sync"] as const).filter((kind) =>
    arrows.some((arrow) => arrow.kind === kind),
  );
  return kinds.flatMap((kind, index) => {
    const x = MARGIN + index * 130;
    return [
      line(kind, x, y - 4, x + 34, y - 4),
      `<text class="legend" x="${x + 42}" y="${y}">${KINDS[kind]}</text>`,
    ];
  });
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
