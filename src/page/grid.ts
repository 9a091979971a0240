import type { RowNode } from "./row-node.js";
import { orderSiblings, setAttribute } from "./dom.js";
import type { ChangeRow } from "./events.js";
import type { History } from "./histories.js";
import { RowView } from "./row-view.js";

/** What the table asks for, and reports. */
export interface GridHost {
  markOf(node: RowNode): ChangeRow | undefined;
  historyOf(key: string): History | undefined;
  /** Rows have become visible */
  shown(rows: readonly RowNode[]): void;
  toggle(node: RowNode, expanded: boolean): void;
  open(node: RowNode): void;
}

/** Rows outside of the screen that are drawn, so that scrolling shows no gaps. */
const SPARE_ROWS = 6;

/** The table of services and servers. It draws only the rows on the screen. */
export class Grid {
  readonly #scroller: HTMLElement;
  readonly #body: HTMLElement;
  readonly #host: GridHost;
  readonly #views: RowView[] = [];
  #rows: readonly RowNode[] = [];
  #indexes = new Map<string, number>();
  /** The row that the keyboard acts on */
  #current: string | undefined;
  /** Where that row was when it was drawn last */
  #place = 0;
  /** Grows when rows or their figures change: scrolling alone draws only the rows that appear */
  #version = 0;
  /** Whether the next frame draws */
  #drawing = false;

  /** @param scroller the element with role treegrid @param body contains the rows */
  constructor(scroller: HTMLElement, body: HTMLElement, host: GridHost) {
    this.#scroller = scroller;
    this.#body = body;
    this.#host = host;
    scroller.addEventListener("scroll", () => {
      this.#drawSoon();
    });
    new ResizeObserver(() => {
      this.#drawSoon();
    }).observe(scroller);
    body.addEventListener("click", (event) => {
      this.#click(event);
    });
    body.addEventListener("keydown", (event) => {
      if (this.#key(event)) event.preventDefault();
    });
    body.addEventListener("focusin", ({ target }) => {
      const key =
        target instanceof HTMLElement ? target.dataset["key"] : undefined;
      if (key !== undefined) this.#current = key;
    });
  }

  /** Shows other rows, or the same with other figures. */
  show(rows: readonly RowNode[]): void {
    this.#rows = rows;
    this.#indexes = new Map(rows.map(({ key }, i) => [key, i]));
    setAttribute(this.#scroller, "aria-rowcount", String(rows.length + 1));
    this.#body.style.setProperty("--rows", String(rows.length));
    this.redraw();
  }

  /** Draws all rows again in the next frame: their figures have changed. */
  redraw(): void {
    this.#version++;
    this.#drawSoon();
  }

  #drawSoon(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#draw();
    });
  }

  /** Moves the focus to a row. */
  focus(key: string): void {
    const index = this.#indexes.get(key);
    if (index !== undefined) this.#moveTo(index);
  }

  #draw(): void {
    const height = this.#rowHeight();
    const head = this.#body.offsetTop;
    const top = this.#scroller.scrollTop;
    const first = Math.max(0, Math.floor(top / height) - SPARE_ROWS);
    const visible = Math.ceil((this.#scroller.clientHeight - head) / height);
    const last = Math.min(
      this.#rows.length,
      first + visible + 2 * SPARE_ROWS + 1,
    );
    const shown = this.#rows.slice(first, last);
    const focused = this.#focusedKey();
    const reachable = this.#reachableKey(shown);
    // A row that stays keeps its element, and with it the focus.
    const free = new Map(this.#views.map((view) => [view.key, view]));
    const staying = shown.map(({ key }) => {
      const view = free.get(key);
      free.delete(key);
      return view;
    });
    const spare = [...free.values()];
    const elements: HTMLElement[] = [];
    let anchor: HTMLElement | undefined;
    for (const [i, node] of shown.entries()) {
      const view = staying[i] ?? spare.pop() ?? this.#newView();
      elements.push(view.element);
      if (node.key === focused) anchor = view.element;
      const { key } = node;
      if (view.key !== key || view.version !== this.#version) {
        view.version = this.#version;
        view.show(
          node,
          first + i,
          this.#host.markOf(node),
          this.#host.historyOf(key),
        );
      }
      setAttribute(view.element, "tabindex", key === reachable ? "0" : "-1");
      setAttribute(view.element, "hidden", false);
    }
    for (const view of spare) {
      view.key = "";
      setAttribute(view.element, "hidden", true);
    }
    // Screen readers follow the order of the elements.
    orderSiblings(elements, anchor);
    this.#host.shown(shown);
    if (focused !== undefined && !anchor) this.#keepFocus(focused);
    this.#place = this.#indexes.get(this.#current ?? "") ?? this.#place;
  }

  /** The row with the focus is not drawn any more. If it is gone, the focus moves to the row at its place. */
  #keepFocus(key: string): void {
    if (!this.#indexes.has(key) && this.#rows.length > 0)
      this.#moveTo(this.#place);
    else this.#scroller.focus({ preventScroll: true });
  }

  #newView(): RowView {
    const view = new RowView();
    this.#views.push(view);
    this.#body.append(view.element);
    return view;
  }

  #rowHeight(): number {
    const text = getComputedStyle(this.#body).getPropertyValue("--row-height");
    return Number.parseFloat(text) || 36;
  }

  #focusedKey(): string | undefined {
    const { activeElement } = document;
    return activeElement instanceof HTMLElement &&
      this.#body.contains(activeElement)
      ? activeElement.dataset["key"]
      : undefined;
  }

  /** The row that Tab reaches: the current one, or the first one on the screen. */
  #reachableKey(shown: readonly RowNode[]): string | undefined {
    return shown.some(({ key }) => key === this.#current)
      ? this.#current
      : shown[0]?.key;
  }

  #click(event: MouseEvent): void {
    if (!(event.target instanceof Element)) return;
    const row = event.target.closest<HTMLElement>("[data-key]");
    const node = this.#nodeOf(row?.dataset["key"]);
    if (!node) return;
    this.#current = node.key;
    if (event.target.closest(".toggle") && node.kind !== "server")
      this.#host.toggle(node, !node.expanded);
    else this.#host.open(node);
  }

  #nodeOf(key: string | undefined): RowNode | undefined {
    const index = key === undefined ? undefined : this.#indexes.get(key);
    return index === undefined ? undefined : this.#rows[index];
  }

  /** @returns whether the key was for the table. @see https://www.w3.org/WAI/ARIA/apg/patterns/treegrid/ */
  #key({ key, altKey, ctrlKey, metaKey }: KeyboardEvent): boolean {
    if (altKey || ctrlKey || metaKey) return false;
    const node = this.#nodeOf(this.#current);
    const index = this.#indexes.get(this.#current ?? "") ?? 0;
    const page = Math.max(
      1,
      Math.floor(this.#scroller.clientHeight / this.#rowHeight()) - 2,
    );
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: this.#rows.length - 1,
    };
    const move = moves[key];
    if (move !== undefined) return this.#moveTo(move);
    if (!node) return false;
    if (key === "Enter" || key === " ") {
      this.#host.open(node);
      return true;
    }
    if (key === "ArrowRight" && node.kind !== "server") {
      if (node.expanded) return this.#moveTo(index + 1);
      this.#host.toggle(node, true);
      return true;
    }
    if (key === "ArrowLeft") return this.#close(node, index);
    return false;
  }

  #close(node: RowNode, index: number): boolean {
    if (node.kind !== "server") {
      this.#host.toggle(node, false);
      return true;
    }
    for (let i = index; i >= 0; i--)
      if (this.#rows[i]?.level === 1) return this.#moveTo(i);
    return true;
  }

  #moveTo(place: number): boolean {
    const index = Math.min(Math.max(place, 0), this.#rows.length - 1);
    const node = this.#rows[index];
    if (!node) return true;
    this.#current = node.key;
    const height = this.#rowHeight();
    const head = this.#body.offsetTop;
    const [top, room] = [index * height, this.#scroller.clientHeight - head];
    if (top < this.#scroller.scrollTop) this.#scroller.scrollTop = top;
    else if (top + height > this.#scroller.scrollTop + room)
      this.#scroller.scrollTop = top + height - room;
    this.#draw();
    const view = this.#views.find(({ key }) => key === node.key);
    view?.element.focus({ preventScroll: true });
    return true;
  }
}
