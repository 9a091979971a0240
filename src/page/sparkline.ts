import { setAttribute, svgElement } from "./dom.js";
import type { History } from "./histories.js";

const WIDTH = 120;
const HEIGHT = 24;

/** The rates in and out of the last quarter of an hour as two small lines. */
export class Sparkline {
  readonly element: SVGSVGElement;
  readonly #in = svgElement("path", { class: "line in" });
  readonly #out = svgElement("path", { class: "line out" });

  constructor() {
    this.element = svgElement(
      "svg",
      {
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: "none",
        class: "sparkline",
        "aria-hidden": "true",
      },
      this.#in,
      this.#out,
    );
  }

  draw(history: History | undefined): void {
    const highest = history
      ? Math.max(1, highestOf(history.inBytes), highestOf(history.outBytes))
      : 1;
    const path = (values: readonly number[] = []) =>
      pathOf(values.slice(history?.from), highest);
    setAttribute(this.#in, "d", path(history?.inBytes));
    setAttribute(this.#out, "d", path(history?.outBytes));
  }
}

/** The highest known value, at least 0. */
export function highestOf(values: readonly number[]): number {
  let highest = 0;
  for (const value of values) if (value > highest) highest = value;
  return highest;
}

function pathOf(values: readonly number[], highest: number): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  let path = "";
  let drawing = false;
  for (const [i, value] of values.entries()) {
    if (Number.isNaN(value)) {
      drawing = false;
      continue;
    }
    const y = HEIGHT - 1.5 - (value / highest) * (HEIGHT - 3);
    path += `${drawing ? "L" : "M"}${(i * step).toFixed(1)} ${y.toFixed(1)}`;
    drawing = true;
  }
  return path;
}
