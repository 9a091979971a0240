import { weightOf } from "./arrange.js";
import { changeText } from "./change-text.js";
import { element, setAttribute, setText } from "./dom.js";
import type { ChangeRow, ServerRow } from "./events.js";
import {
  bytes,
  clock,
  count,
  counted,
  forwardingText,
  percent,
} from "./format.js";
import type { History } from "./histories.js";
import { serversOf, type RowNode } from "./row-node.js";
import {
  otherTroubles,
  releaseThreshold,
  stateOf,
  stateSentence,
} from "./row-state.js";
import { Sparkline } from "./sparkline.js";

/** A row of the table on the screen. Rows are few: when somebody scrolls, a row shows another service. */
export class RowView {
  readonly element: HTMLElement;
  /** The key of what it shows */
  key = "";
  /** The state of the figures that it shows */
  version = -1;
  readonly #toggle = element("span", {
    class: "toggle",
    "aria-hidden": "true",
  });
  readonly #name = element("span", { class: "label" });
  readonly #mark = element("span", { class: "mark" });
  readonly #warning = element("span", { class: "warning" });
  readonly #detail = element("span", { class: "detail" });
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
      cell(
        "name",
        this.#toggle,
        this.#name,
        element(
          "span",
          { class: "notes" },
          this.#mark,
          this.#warning,
          this.#detail,
        ),
      ),
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
    const state = stateOf(node);
    setText(this.#name, nameOf(node));
    setText(this.#mark, mark ? markText(node, mark) : "");
    setText(this.#warning, otherTroubles(node));
    setText(this.#detail, detailOf(node));
    setText(this.#state, state.text);
    setAttribute(this.#state, "data-state", state.state);
    setAttribute(this.#state, "title", stateSentence(node) || false);
    setText(this.#weight, weightText(node));
    setAttribute(this.#weight, "title", weightSentence(node) || false);
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
    const used = usedOf(node);
    this.#load.show(
      used / row.upperThreshold,
      `${used} of ${row.upperThreshold}`,
      row.state,
      releaseThreshold(row) / row.upperThreshold,
    );
    setAttribute(this.#load.element, "title", loadSentence(node, row));
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

/** The connections that count against the thresholds. */
export function usedOf({ sums }: RowNode): number {
  return sums.active + sums.inactive;
}

/** The figures behind the bar of a threshold, in sentences. */
export function loadSentence({ sums }: RowNode, row: ServerRow): string {
  const { active, inactive } = sums;
  return `${active} active + ${inactive} inactive connections. At ${row.upperThreshold ?? 0} it gets no new ones, until there are fewer than ${releaseThreshold(row)}.`;
}

/** The weight of a row. Of a service: what its servers have, and how much of it counts. */
export function weightText(node: RowNode): string {
  const weight = weightOf(node);
  if (weight === null) return "";
  const all = weightOfAll(node);
  return node.kind === "service" && all !== weight
    ? `${weight} of ${all}`
    : String(weight);
}

function weightSentence(node: RowNode): string {
  return node.kind === "service" &&
    weightOfAll(node) !== node.service.row.effectiveWeight
    ? "Overloaded servers get no new connections: their weight does not count."
    : "";
}

function weightOfAll(node: RowNode): number {
  return serversOf(node).reduce((sum, { row }) => sum + row.weight, 0);
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

/** The name of a row. A server is named by its service below a machine. */
export function nameOf(node: RowNode): string {
  if (node.kind === "service") return node.service.row.service;
  if (node.kind === "machine") return node.address;
  const { row, service } = node.server;
  return node.group === "machine" ? service.row.service : row.server;
}

/** What is written small below the name. */
function detailOf(node: RowNode): string {
  if (node.kind === "machine") return serversText(node);
  if (node.kind === "server") {
    const { server, address, forwarding } = node.server.row;
    const method = forwardingText(forwarding);
    if (node.group === "service") return method;
    const port = server.slice(server.lastIndexOf(":") + 1);
    return server === address ? method : `port ${port} · ${method}`;
  }
  const { scheduler, persistence, onePacket } = node.service.row;
  return [
    serversText(node),
    scheduler,
    persistence &&
    persistence.enabled !== false &&
    persistence.timeoutSeconds !== undefined
      ? `persistent ${persistence.timeoutSeconds} s`
      : "",
    onePacket ? "one-packet" : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** `3 servers`, or `1 of 3 servers` if the search or the filter hides some */
function serversText(node: RowNode): string {
  const all = serversOf(node).length;
  const found = node.kind === "server" ? all : node.found;
  const text = counted(all, "server");
  return found < all ? `${found} of ${text}` : text;
}
