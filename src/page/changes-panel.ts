import { changeText, keyOfChange } from "./change-text.js";
import { element } from "./dom.js";
import type { ChangeRow } from "./events.js";
import { clock, counted, moment } from "./format.js";

const MOST_SHOWN = 100;

/** The list of recent changes, newest first. */
export class ChangesPanel {
  readonly #list: HTMLElement;
  readonly #note: HTMLElement;
  readonly #open: (key: string) => void;
  #shown: readonly ChangeRow[] | undefined;
  #search = "";

  /** @param open shows the service or server of a change */
  constructor(
    list: HTMLElement,
    note: HTMLElement,
    open: (key: string) => void,
  ) {
    this.#list = list;
    this.#note = note;
    this.#open = open;
  }

  /** @param changes oldest first @param search words that must all be in a change */
  show(changes: readonly ChangeRow[], search: string): void {
    if (changes === this.#shown && search === this.#search) return;
    this.#shown = changes;
    this.#search = search;
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const found = changes
      .filter((change) => {
        const text =
          `${keyOfChange(change)} ${changeText(change)}`.toLowerCase();
        return words.every((word) => text.includes(word));
      })
      .toReversed();
    this.#list.replaceChildren(
      ...found.slice(0, MOST_SHOWN).map((change) => this.#item(change)),
    );
    const hidden = changes.length - found.length;
    this.#note.textContent = [
      changes.length === 0 ? "No change since ipvsadm serve was started." : "",
      found.length > MOST_SHOWN
        ? `The latest ${MOST_SHOWN} of ${counted(found.length, "change")}.`
        : "",
      hidden > 0 ? `The search hides ${counted(hidden, "change")}.` : "",
    ]
      .filter(Boolean)
      .join(" ");
  }

  #item(change: ChangeRow): HTMLElement {
    const { time, service, server } = change;
    const button = element(
      "button",
      { type: "button", class: "change" },
      element("time", { datetime: time, title: moment(time) }, clock(time)),
      element(
        "span",
        { class: "what" },
        element("strong", {}, changeText(change)),
        element(
          "span",
          { class: "who" },
          server === undefined ? service : `${server} of ${service}`,
        ),
      ),
    );
    button.addEventListener("click", () => {
      this.#open(keyOfChange(change));
    });
    return element("li", {}, button);
  }
}
