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

  constructor(title: string, format: (value: number) => string) {
    this.#title = title;
    this.#format = format;
    this.element = element("div", { class: "chart", role: "img" });
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
    setAttribute(this.element, "aria-label", this.#summary(lines, moments));
    const data: uPlot.AlignedData = [
      [...seconds],
      ...lines.map(({ values }) =>
        values.map((value) => (Number.isNaN(value) ? null : value)),
      ),
    ];
    if (this.#plot) this.#plot.setData(data);
    else this.#plot = new uPlot(this.#options(lines), data, this.element);
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
      padding: [8, 8, 0, 0],
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
