import { changeText } from "./change-text.js";
import { Chart } from "./chart.js";
import { byId, element, setAttribute } from "./dom.js";
import { SLOT_SECONDS, SLOTS, type ChangeRow } from "./events.js";
import {
  bytes,
  clock,
  count,
  forwardingText,
  moment,
  percent,
  stateText,
} from "./format.js";
import type { Histories } from "./histories.js";
import { serversOf, type RowNode } from "./row-node.js";
import { releaseThreshold, stateOf, stateSentence } from "./row-state.js";
import { bar, loadSentence, nameOf, usedOf, weightText } from "./row-view.js";
import type { Server, TableModel } from "./table-model.js";

/** Facts that take a line of their own. */
const WIDE: ReadonlySet<string> = new Set(["What that means", "Threshold"]);

/** The dialog with everything about a service, a server or a machine. */
export class Detail {
  readonly #dialog = byId("detail", HTMLDialogElement);
  readonly #title = byId("detail-title", HTMLElement);
  readonly #facts = byId("detail-facts", HTMLElement);
  readonly #servers = byId("detail-servers", HTMLElement);
  readonly #changes = byId("detail-changes", HTMLElement);
  readonly #traffic = new Chart("Traffic", (value) => `${bytes(value)}/s`);
  readonly #rate = new Chart("New connections", (value) => `${count(value)}/s`);
  readonly #model: TableModel;
  readonly #histories: Histories;
  /** The key of what is shown */
  #key: string | undefined;

  readonly #open: (key: string) => void;

  /** @param open shows another service, server or machine @param closed is called with the key of what was shown */
  constructor(
    model: TableModel,
    histories: Histories,
    open: (key: string) => void,
    closed: (key: string) => void,
  ) {
    this.#model = model;
    this.#histories = histories;
    this.#open = open;
    byId("chart-traffic", HTMLElement).append(this.#traffic.element);
    byId("chart-rate", HTMLElement).append(this.#rate.element);
    byId("detail-close", HTMLElement).addEventListener("click", () => {
      this.close();
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

  close(): void {
    this.#dialog.close();
  }

  /** Shows the latest figures. */
  show(node: RowNode): void {
    if (this.#key !== node.key) return;
    this.#title.textContent =
      node.kind === "server" ? node.server.row.server : nameOf(node);
    const { activeElement } = document;
    const focused =
      activeElement instanceof HTMLElement
        ? activeElement.dataset["link"]
        : undefined;
    this.#showFacts(node);
    this.#showServers(node);
    // The links are new. The focus stays on the same one.
    if (focused !== undefined)
      for (const link of this.#dialog.querySelectorAll<HTMLElement>(
        "[data-link]",
      ))
        if (link.dataset["link"] === focused) link.focus();
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
    const sentence = stateSentence(node);
    facts.push(["State", stateBadge(stateOf(node))]);
    if (sentence !== "") facts.push(["What that means", sentence]);
    if (node.kind === "service") {
      const { scheduler, schedulerFlags = [], persistence } = node.service.row;
      facts.push(["Scheduler", [scheduler, ...schedulerFlags].join(" ")]);
      if (persistence?.timeoutSeconds !== undefined)
        facts.push(["Persistence", `${persistence.timeoutSeconds} s`]);
    }
    if (node.kind === "server") {
      const { row, service } = node.server;
      facts.push(
        ["Service", this.#link(service.key, service.key)],
        ["Machine", this.#link(`machine ${row.address}`, row.address)],
        ["Forwarding", forwardingText(row.forwarding)],
        ["Share", percent(row.share)],
      );
      if (row.upperThreshold !== undefined) {
        const load = bar("load");
        load.show(
          usedOf(node) / row.upperThreshold,
          `${usedOf(node)} of ${row.upperThreshold}`,
          row.state,
          releaseThreshold(row) / row.upperThreshold,
        );
        facts.push([
          "Threshold",
          element("div", {}, load.element, loadSentence(node, row)),
        ]);
      }
    }
    const weight = weightText(node);
    if (weight !== "") facts.push(["Weight", weight]);
    facts.push(
      ["Active", count(sums.active)],
      ["Inactive", count(sums.inactive)],
      ["Persistence templates", count(sums.persistent)],
      ["New connections", perSecond(count(sums.connectionsPerSecond))],
      ["In", perSecond(bytes(sums.inBytesPerSecond))],
      ["Out", perSecond(bytes(sums.outBytesPerSecond))],
    );
    this.#facts.replaceChildren(
      ...facts.map(([name, value]) =>
        element(
          "div",
          { class: WIDE.has(name) ? "wide" : "" },
          element("dt", {}, name),
          element("dd", {}, value),
        ),
      ),
    );
  }

  /** The servers of a service, or what a machine serves. */
  #showServers(node: RowNode): void {
    const nameOfServer = ({ row, service }: Server) =>
      node.kind === "machine" ? `${service.key} ${row.server}` : row.server;
    const rows = serversOf(node).map((server) => {
      const { key, row } = server;
      const sums = this.#model.sums([row.id]);
      return element(
        "tr",
        {},
        element("th", { scope: "row" }, this.#link(key, nameOfServer(server))),
        element(
          "td",
          {},
          stateBadge({ state: row.state, text: stateText(row.state) }),
        ),
        ...[
          String(row.weight),
          count(sums.active),
          count(sums.connectionsPerSecond),
        ].map((text) => element("td", { class: "number" }, text)),
      );
    });
    setAttribute(this.#servers, "hidden", rows.length === 0);
    this.#servers.querySelector("tbody")?.replaceChildren(...rows);
  }

  #link(key: string, text: string): HTMLElement {
    const link = element(
      "button",
      { type: "button", class: "link", "data-link": key },
      text,
    );
    link.addEventListener("click", () => {
      this.#open(key);
    });
    return link;
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
        : [
            element(
              "li",
              { class: "none" },
              "none since ipvsadm serve was started",
            ),
          ]),
    );
  }

  #showCharts(key: string, changes: readonly ChangeRow[]): void {
    const history = this.#histories.of(key);
    if (!history) return;
    const last = this.#histories.lastSecond(key);
    const { from } = history;
    const seconds = Array.from(
      { length: SLOTS - from },
      (_, i) => last - (SLOTS - 1 - from - i) * SLOT_SECONDS,
    );
    const moments = changes.map((change) => ({
      second: Date.parse(change.time) / 1000,
      label: changeText(change),
    }));
    this.#traffic.draw(
      seconds,
      [
        { label: "In", color: "--in", values: history.inBytes.slice(from) },
        {
          label: "Out",
          color: "--out",
          dash: [6, 3],
          values: history.outBytes.slice(from),
        },
      ],
      moments,
    );
    this.#rate.draw(
      seconds,
      [
        {
          label: "Connections",
          color: "--in",
          values: history.connections.slice(from),
        },
      ],
      moments,
    );
  }
}

function stateBadge({ state, text }: { state: string; text: string }) {
  return element("span", { class: "state", "data-state": state }, text);
}

function perSecond(text: string): string {
  return text === "–" ? text : `${text}/s`;
}
