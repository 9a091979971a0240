import { stateOf, weightOf, type RowNode } from "./arrange.js";
import { changeText } from "./change-text.js";
import { Chart } from "./chart.js";
import { byId, element } from "./dom.js";
import { SLOT_SECONDS, SLOTS, type ChangeRow } from "./events.js";
import { bytes, clock, count, moment, percent, stateText } from "./format.js";
import type { Histories } from "./histories.js";
import { bar, nameOf } from "./row-view.js";
import type { TableModel } from "./table-model.js";

/** The dialog with everything about a service, a server or a machine. */
export class Detail {
  readonly #dialog = byId("detail", HTMLDialogElement);
  readonly #title = byId("detail-title", HTMLElement);
  readonly #facts = byId("detail-facts", HTMLElement);
  readonly #changes = byId("detail-changes", HTMLElement);
  readonly #traffic = new Chart("Traffic", (value) => `${bytes(value)}/s`);
  readonly #rate = new Chart("New connections", (value) => `${count(value)}/s`);
  readonly #model: TableModel;
  readonly #histories: Histories;
  /** The key of what is shown */
  #key: string | undefined;

  /** @param closed is called with the key of what was shown */
  constructor(
    model: TableModel,
    histories: Histories,
    closed: (key: string) => void,
  ) {
    this.#model = model;
    this.#histories = histories;
    byId("chart-traffic", HTMLElement).append(this.#traffic.element);
    byId("chart-rate", HTMLElement).append(this.#rate.element);
    byId("detail-close", HTMLElement).addEventListener("click", () => {
      this.#dialog.close();
    });
    this.#dialog.addEventListener("click", ({ target }) => {
      if (target === this.#dialog) this.#dialog.close(); // Beside the dialog.
    });
    this.#dialog.addEventListener("close", () => {
      const key = this.#key;
      this.#key = undefined;
      this.recolor();
      if (key !== undefined) closed(key);
    });
  }

  get key(): string | undefined {
    return this.#key;
  }

  open(node: RowNode): void {
    this.#key = node.key;
    if (!this.#dialog.open) this.#dialog.showModal();
    this.show(node);
  }

  /** Shows the latest figures. */
  show(node: RowNode): void {
    if (this.#key !== node.key) return;
    this.#title.textContent = nameOf(node);
    this.#showFacts(node);
    const changes = this.#changesOf(node);
    this.#showChanges(changes);
    this.#showCharts(node.key, changes);
  }

  /** The service or server is gone. */
  gone(): void {
    this.#facts.replaceChildren(
      element("dt", {}, "State"),
      element("dd", {}, "no longer in the table"),
    );
  }

  /** Draws the charts with the present colors the next time. */
  recolor(): void {
    this.#traffic.clear();
    this.#rate.clear();
  }

  #showFacts(node: RowNode): void {
    const { sums } = node;
    const facts: (readonly [string, string | Node])[] = [];
    const state = stateOf(node);
    const badge = element(
      "span",
      { class: "state", "data-state": state },
      stateText(state),
    );
    facts.push(["State", badge]);
    if (node.kind === "service") {
      const { scheduler, schedulerFlags = [], persistence } = node.service.row;
      facts.push(["Scheduler", [scheduler, ...schedulerFlags].join(" ")]);
      if (persistence?.timeoutSeconds !== undefined)
        facts.push(["Persistence", `${persistence.timeoutSeconds} s`]);
      facts.push(["Servers", String(node.service.servers.length)]);
    }
    if (node.kind === "machine")
      facts.push(["Servers", String(node.servers.length)]);
    if (node.kind === "server") {
      const { row, service } = node.server;
      facts.push(["Service", service.row.service]);
      facts.push(["Forwarding", String(row.forwarding)]);
      facts.push(["Share", percent(row.share)]);
      if (row.upperThreshold !== undefined) {
        const load = bar("load");
        const used = sums.active + sums.inactive;
        const lower = row.lowerThreshold;
        load.show(
          used / row.upperThreshold,
          lower === undefined
            ? `${used} of ${row.upperThreshold}`
            : `${used} of ${row.upperThreshold}, again below ${lower}`,
          row.state,
          lower === undefined ? undefined : lower / row.upperThreshold,
        );
        facts.push(["Threshold", load.element]);
      }
    }
    const weight = weightOf(node);
    if (weight !== null) facts.push(["Weight", String(weight)]);
    facts.push(
      ["Active", count(sums.active)],
      ["Inactive", count(sums.inactive)],
      ["Templates", count(sums.persistent)],
    );
    this.#facts.replaceChildren(
      ...facts.map(([name, value]) =>
        element("div", {}, element("dt", {}, name), element("dd", {}, value)),
      ),
    );
  }

  #changesOf(node: RowNode): ChangeRow[] {
    const { changes } = this.#model;
    return changes.filter(({ service, server }) => {
      if (node.kind === "service") return service === node.key;
      if (node.kind === "server")
        return server !== undefined && `${service} ${server}` === node.key;
      return node.servers.some(
        ({ row, service: parent }) =>
          row.server === server && parent.key === service,
      );
    });
  }

  #showChanges(changes: readonly ChangeRow[]): void {
    const items = changes
      .toReversed()
      .map((change) =>
        element(
          "li",
          {},
          element(
            "time",
            { datetime: change.time, title: moment(change.time) },
            clock(change.time),
          ),
          change.server === undefined ? " " : ` ${change.server} `,
          element("strong", {}, changeText(change)),
        ),
      );
    this.#changes.replaceChildren(
      ...(items.length > 0
        ? items
        : [element("li", { class: "none" }, "none since serve was started")]),
    );
  }

  #showCharts(key: string, changes: readonly ChangeRow[]): void {
    const history = this.#histories.of(key);
    if (!history) return;
    const last = this.#histories.lastSecond(key);
    const seconds = Array.from(
      { length: SLOTS },
      (_, i) => last - (SLOTS - 1 - i) * SLOT_SECONDS,
    );
    const moments = changes.map((change) => ({
      second: Date.parse(change.time) / 1000,
      label: changeText(change),
    }));
    this.#traffic.draw(
      seconds,
      [
        { label: "In", color: "--in", values: history.inBytes },
        {
          label: "Out",
          color: "--out",
          dash: [6, 3],
          values: history.outBytes,
        },
      ],
      moments,
    );
    this.#rate.draw(
      seconds,
      [{ label: "Connections", color: "--in", values: history.connections }],
      moments,
    );
  }
}
