import { stateOf, weightOf, type RowNode } from "./arrange.js";
import { changeText } from "./change-text.js";
import { element, setAttribute, setText } from "./dom.js";
import type { ChangeRow, ServerRow } from "./events.js";
import { bytes, clock, count, counted, percent, stateText } from "./format.js";
import type { History } from "./histories.js";
import { Sparkline } from "./sparkline.js";

/** A row of the table on the screen. Rows are few: when somebody scrolls, a row shows another service. */
export class RowView {
  readonly element: HTMLElement;
  /** The key of what it shows */
  key = "";
  readonly #toggle = element("span", {
    class: "toggle",
    "aria-hidden": "true",
  });
  readonly #name = element("span", { class: "label" });
  readonly #detail = element("span", { class: "detail" });
  readonly #mark = element("span", { class: "mark" });
  readonly #state = element("span", { class: "state" });
  readonly #weight = element("span");
  readonly #share = bar("share");
  readonly #active = element("span");
  readonly #load = bar("load");
  readonly #rate = element("span");
  readonly #in = element("span");
  readonly #out = element("span");
  readonly #lines = new Sparkline();

  constructor() {
    this.element = element(
      "div",
      { role: "row", class: "row", tabindex: "-1" },
      cell("name", this.#toggle, this.#name, this.#detail, this.#mark),
      cell("state-cell", this.#state),
      cell("number weight", this.#weight),
      cell("share-cell", this.#share.element),
      cell("number active", this.#active),
      cell("load-cell", this.#load.element),
      cell("number rate", this.#rate),
      cell("number in-cell", this.#in),
      cell("number out-cell", this.#out),
      cell("lines", this.#lines.element),
    );
  }

  /** Shows a row. @param index its place in the table, from 0 */
  show(
    node: RowNode,
    index: number,
    mark: ChangeRow | undefined,
    history: History | undefined,
    focusable: boolean,
  ): void {
    this.key = node.key;
    const { element, key } = this;
    element.style.setProperty("--index", String(index));
    setAttribute(element, "data-key", key);
    setAttribute(element, "data-kind", node.kind);
    setAttribute(element, "data-changed", mark !== undefined);
    // The first row is the header.
    setAttribute(element, "aria-rowindex", String(index + 2));
    setAttribute(element, "aria-level", String(node.level));
    setAttribute(element, "aria-posinset", String(node.position));
    setAttribute(element, "aria-setsize", String(node.siblings));
    setAttribute(
      element,
      "aria-expanded",
      node.kind === "server" ? false : String(node.expanded),
    );
    setAttribute(element, "tabindex", focusable ? "0" : "-1");
    const state = stateOf(node);
    setText(this.#name, nameOf(node));
    const drained = drainedOf(node);
    setText(this.#detail, drained > 0 ? `${drained} drained` : detailOf(node));
    setAttribute(this.#detail, "data-warn", drained > 0);
    setText(this.#mark, mark ? markText(node, mark) : "");
    setText(this.#state, stateText(state));
    setAttribute(this.#state, "data-state", state);
    const weight = weightOf(node);
    setText(this.#weight, weight === null ? "" : String(weight));
    this.#showShare(node);
    setText(this.#active, count(node.sums.active));
    this.#showLoad(node);
    setText(this.#rate, count(node.sums.connectionsPerSecond));
    setText(this.#in, bytes(node.sums.inBytesPerSecond));
    setText(this.#out, bytes(node.sums.outBytesPerSecond));
    for (const [target, value] of [
      [this.#active, node.sums.active],
      [this.#rate, node.sums.connectionsPerSecond],
      [this.#in, node.sums.inBytesPerSecond],
      [this.#out, node.sums.outBytesPerSecond],
    ] as const)
      setAttribute(target, "data-zero", value === 0 || value === null);
    this.#lines.draw(history);
  }

  #showShare(node: RowNode): void {
    if (node.kind !== "server") {
      this.#share.hide();
      return;
    }
    const { share } = node.server.row;
    this.#share.show(share, percent(share), share === 0 ? "none" : "ok");
  }

  #showLoad(node: RowNode): void {
    const row = node.kind === "server" ? node.server.row : undefined;
    if (row?.upperThreshold === undefined) {
      this.#load.hide();
      return;
    }
    const used = node.sums.active + node.sums.inactive;
    this.#load.show(
      used / row.upperThreshold,
      loadText(row, used),
      row.state,
      row.lowerThreshold === undefined
        ? undefined
        : row.lowerThreshold / row.upperThreshold,
    );
  }
}

/** A change, with the server if the row is of a service. */
function markText(node: RowNode, mark: ChangeRow): string {
  const server =
    node.kind === "service" && mark.server !== undefined
      ? ` · ${mark.server}`
      : "";
  return `${changeText(mark)} · ${clock(mark.time)}${server}`;
}

/** How many servers of a row have weight 0. A server shows it in its state. */
function drainedOf(node: RowNode): number {
  if (node.kind === "server") return 0;
  const servers = node.kind === "service" ? node.service.servers : node.servers;
  return servers.filter(({ row }) => row.weight === 0).length;
}

function loadText({ upperThreshold }: ServerRow, used: number): string {
  return `${count(used)} of ${count(upperThreshold)}`;
}

function cell(name: string, ...children: Node[]): HTMLElement {
  return element(
    "div",
    { role: "gridcell", class: `cell ${name}` },
    ...children,
  );
}

/** A bar with its value as text, and a mark for the lower threshold. */
export function bar(name: string) {
  const fill = element("span", { class: "fill" });
  const tick = element("span", { class: "tick" });
  const text = element("span", { class: "text" });
  const track = element(
    "span",
    { class: "track", "aria-hidden": "true" },
    fill,
    tick,
  );
  const made = element("span", { class: `bar ${name}` }, track, text);
  return {
    element: made,
    show(part: number, label: string, state: string, mark?: number) {
      setAttribute(made, "hidden", false);
      setAttribute(made, "data-state", state);
      setText(text, label);
      fill.style.setProperty("--part", String(Math.min(part, 1)));
      setAttribute(tick, "hidden", mark === undefined);
      if (mark !== undefined) tick.style.setProperty("--part", String(mark));
    },
    hide() {
      setAttribute(made, "hidden", true);
    },
  };
}

export function nameOf(node: RowNode): string {
  if (node.kind === "service") return node.service.row.service;
  return node.kind === "machine" ? node.address : node.server.row.server;
}

/** What is written small beside the name. */
function detailOf(node: RowNode): string {
  if (node.kind === "machine") return counted(node.servers.length, "server");
  if (node.kind === "server") return String(node.server.row.forwarding);
  const { scheduler, persistence, onePacket, servers } = node.service.row;
  return [
    scheduler,
    persistence &&
    persistence.enabled !== false &&
    persistence.timeoutSeconds !== undefined
      ? `persistent ${persistence.timeoutSeconds} s`
      : "",
    onePacket ? "one-packet" : "",
    counted(servers.length, "server"),
  ]
    .filter(Boolean)
    .join(" · ");
}
