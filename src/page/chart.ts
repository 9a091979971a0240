import uPlot from "uplot";
import { element, setAttribute } from "./dom.js";
import { clock } from "./format.js";

/** A line of a chart. */
export interface Line {
  readonly label: string;
  /** The name of a color of the page: `--in` */
  readonly color: string;
  readonly dash?: number[];
  readonly values: readonly number[];
}

/** Something to mark at a moment. */
export interface Moment {
  readonly second: number;
  readonly label: string;
}

const HEIGHT = 150;

/** A chart of rates over time, with marks for changes. */
export class Chart {
  readonly element: HTMLElement;
  readonly #title: string;
  readonly #format: (value: number) => string;
  #plot: uPlot | undefined;
  #moments: readonly Moment[] = [];
  #seconds: readonly number[] = [];
  #lines: readonly Line[] = [];
  /** The value that the keyboard has chosen, while the chart has the focus */
  #chosen: number | undefined;

  constructor(title: string, format: (value: number) => string) {
    this.#title = title;
    this.#format = format;
    this.element = element("div", {
      class: "chart",
      role: "slider",
      "aria-roledescription": "chart",
      "aria-readonly": "true",
      "aria-valuemin": "0",
      tabindex: "0",
    });
    this.element.addEventListener("keydown", (event) => {
      if (this.#key(event)) event.preventDefault();
    });
    this.element.addEventListener("focus", () => {
      // A pointer chooses by itself.
      if (this.element.matches(":focus-visible"))
        this.#choose(this.#seconds.length - 1);
    });
    this.element.addEventListener("blur", () => {
      this.#choose(undefined);
    });
    new ResizeObserver(() => {
      this.#plot?.setSize({ width: this.#width(), height: HEIGHT });
    }).observe(this.element);
  }

  /** @param seconds the times of all values */
  draw(
    seconds: readonly number[],
    lines: readonly Line[],
    moments: readonly Moment[],
  ): void {
    this.#moments = moments;
    this.#seconds = seconds;
    this.#lines = lines;
    setAttribute(this.element, "aria-label", this.#summary(lines, moments));
    const data: uPlot.AlignedData = [
      [...seconds],
      ...lines.map(({ values }) =>
        values.map((value) => (Number.isNaN(value) ? null : value)),
      ),
    ];
    if (this.#plot) this.#plot.setData(data);
    else this.#plot = new uPlot(this.#options(lines), data, this.element);
    this.#showChosen();
  }

  /** @returns whether the key was for the chart */
  #key({ key, altKey, ctrlKey, metaKey }: KeyboardEvent): boolean {
    if (altKey || ctrlKey || metaKey) return false;
    const last = this.#seconds.length - 1;
    const at = this.#chosen ?? last;
    const moves: Readonly<Record<string, number>> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      Home: 0,
      End: last,
    };
    const move = moves[key];
    if (move !== undefined) this.#choose(Math.min(Math.max(move, 0), last));
    return move !== undefined;
  }

  #choose(index: number | undefined): void {
    this.#chosen = index;
    if (index === undefined) this.#plot?.setCursor({ left: -10, top: -10 });
    this.#showChosen();
  }

  /** Shows the chosen value below the chart, and tells it to those who do not see it. */
  #showChosen(): void {
    const last = Math.max(this.#seconds.length - 1, 0);
    const at = this.#chosen ?? last;
    const second = this.#seconds[at];
    setAttribute(this.element, "aria-valuemax", String(last));
    setAttribute(this.element, "aria-valuenow", String(at));
    if (second === undefined) return;
    setAttribute(this.element, "aria-valuetext", this.#textAt(at, second));
    if (this.#chosen !== undefined && this.#plot)
      this.#plot.setCursor({ left: this.#plot.valToPos(second, "x"), top: 0 });
  }

  #textAt(index: number, second: number): string {
    const values = this.#lines.map(({ label, values }) => {
      const value = values[index] ?? NaN;
      return `${label} ${Number.isNaN(value) ? "unknown" : this.#format(value)}`;
    });
    return `${clock(second * 1000)}: ${values.join(", ")}`;
  }

  /** Removes the chart. The next `draw` uses the present colors. */
  clear(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #options(lines: readonly Line[]): uPlot.Options {
    const axis = {
      stroke: color("--muted"),
      grid: { stroke: color("--grid"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    return {
      width: this.#width(),
      height: HEIGHT,
      padding: [8, 26, 0, 0],
      // The values below the pointer.
      legend: { show: true },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: {
        x: { time: true },
        y: { range: (_, __, highest) => [0, Math.max(highest * 1.1, 1)] },
      },
      axes: [
        {
          ...axis,
          space: 70,
          size: 26,
          values: (_, ticks) => {
            // Ticks that are close to each other need their seconds.
            const close = (ticks[1] ?? 60) - (ticks[0] ?? 0) < 60;
            return ticks.map((tick) =>
              clock(tick * 1000).slice(0, close ? 8 : 5),
            );
          },
        },
        {
          ...axis,
          size: 62,
          values: (_, ticks) => ticks.map((tick) => this.#format(tick)),
        },
      ],
      series: [
        {
          label: "Time",
          value: (_: uPlot, second: number | null) =>
            second === null ? "–" : clock(second * 1000),
        },
        ...lines.map(({ label, color: name, dash }) => ({
          label,
          value: (_: uPlot, value: number | null) =>
            value === null ? "–" : this.#format(value),
          stroke: color(name),
          width: 2,
          points: { show: false },
          ...(dash && { dash }),
        })),
      ],
      hooks: {
        draw: [
          (plot: uPlot) => {
            this.#drawMoments(plot);
          },
        ],
      },
    };
  }

  #drawMoments(plot: uPlot): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = color("--accent");
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
    for (const { second } of this.#moments) {
      // A change may be in the slot that has just begun.
      const right = bbox.left + bbox.width;
      const x = Math.min(plot.valToPos(second, "x", true), right);
      if (x < bbox.left) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  #width(): number {
    return Math.max(200, this.element.clientWidth);
  }

  /** What the chart shows, for those who do not see it. */
  #summary(lines: readonly Line[], moments: readonly Moment[]): string {
    const parts = lines.map(({ label, values }) => {
      const known = values.filter((value) => !Number.isNaN(value));
      const last = known.at(-1);
      return last === undefined
        ? `${label}: unknown`
        : `${label}: now ${this.#format(last)}, highest ${this.#format(Math.max(...known))}`;
    });
    const marks = moments.map(
      ({ second, label }) => `${clock(second * 1000)} ${label}`,
    );
    return [
      `${this.#title}, up to the last 15 minutes`,
      ...parts,
      ...marks,
    ].join(". ");
  }
}

/** A color of the page in the present theme. */
function color(name: string): string {
  const probe = element("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color: resolved } = getComputedStyle(probe);
  probe.remove();
  return resolved;
}
