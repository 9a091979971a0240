import { SHOWN, SORT_KEYS, type Choice, type SortKey } from "./arrange.js";
import { byId, setAttribute, setText } from "./dom.js";

/** Search, filter, grouping and order. They are kept in the address, so that a view can be shared. */
export class Controls {
  readonly choice: Choice;
  readonly #search = byId("search", HTMLInputElement);
  readonly #group = byId("group", HTMLSelectElement);
  readonly #show = byId("show", HTMLSelectElement);
  readonly #sort = byId("sort", HTMLSelectElement);
  readonly #direction = byId("direction", HTMLButtonElement);
  /** On a narrow screen it shows and hides the others. */
  readonly #filters = byId("filters", HTMLButtonElement);
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
    this.choice = choiceFrom(new URLSearchParams(location.hash.slice(1)));
    this.#search.addEventListener("input", () => {
      this.choice.search = this.#search.value;
      this.#use();
    });
    this.#group.addEventListener("change", () => {
      this.choice.group =
        this.#group.value === "machine" ? "machine" : "service";
      this.#use();
    });
    this.#show.addEventListener("change", () => {
      this.choice.show = SHOWN.find((one) => one === this.#show.value) ?? "all";
      this.#use();
    });
    this.#sort.addEventListener("change", () => {
      const key = SORT_KEYS.find((one) => one === this.#sort.value);
      if (key) this.#sortBy(key, key !== "name");
    });
    this.#direction.addEventListener("click", () => {
      this.#sortBy(this.choice.sort, !this.choice.descending);
    });
    this.#filters.addEventListener("click", () => {
      const open = this.#filters.getAttribute("aria-expanded") === "true";
      setAttribute(this.#filters, "aria-expanded", String(!open));
    });
    for (const button of document.querySelectorAll<HTMLElement>("[data-sort]"))
      button.addEventListener("click", () => {
        const key = SORT_KEYS.find((one) => one === button.dataset["sort"]);
        if (!key) return;
        const again = key === this.choice.sort;
        this.#sortBy(key, again ? !this.choice.descending : key !== "name");
      });
    document.addEventListener("keydown", (event) => {
      const { key, target, ctrlKey, metaKey, altKey } = event;
      if (key !== "/" || ctrlKey || metaKey || altKey) return;
      if (target instanceof HTMLInputElement) return;
      if (document.querySelector("dialog[open]")) return;
      event.preventDefault();
      this.#search.focus();
    });
    this.#reflect();
  }

  /** Shows what a total counts, or everything again. */
  toggleShow(name: string): void {
    const show = SHOWN.find((one) => one === name) ?? "all";
    this.choice.show = this.choice.show === show ? "all" : show;
    this.#use();
  }

  #sortBy(key: SortKey, descending: boolean): void {
    this.choice.sort = key;
    this.choice.descending = descending;
    this.#use();
  }

  #use(): void {
    this.#reflect();
    const words = new URLSearchParams();
    const { search, sort, descending, group, show } = this.choice;
    if (search !== "") words.set("search", search);
    if (sort !== "name" || descending)
      words.set("sort", descending ? `-${sort}` : sort);
    if (group !== "service") words.set("group", group);
    if (show !== "all") words.set("show", show);
    history.replaceState(null, "", `#${words.toString()}`);
    this.#changed();
  }

  #reflect(): void {
    const { search, sort, descending, group, show } = this.choice;
    if (this.#search.value !== search) this.#search.value = search;
    this.#group.value = group;
    this.#show.value = show;
    this.#sort.value = sort;
    setText(this.#direction, descending ? "▼" : "▲");
    setAttribute(
      this.#direction,
      "aria-label",
      descending ? "Descending: sort ascending" : "Ascending: sort descending",
    );
    const used = [
      show !== "all",
      group !== "service",
      sort !== "name" || descending,
    ].filter(Boolean).length;
    setText(this.#filters, used > 0 ? `Filters (${used})` : "Filters");
    const named = group === "machine" ? "Machine" : "Service";
    setText(byId("head-name", HTMLElement), named);
    setAttribute(byId("grid", HTMLElement), "data-sorted", sort);
    for (const button of document.querySelectorAll<HTMLElement>(
      "[data-sort]",
    )) {
      const order = descending ? "descending" : "ascending";
      const head = button.closest("[role=columnheader]");
      if (head)
        setAttribute(
          head,
          "aria-sort",
          button.dataset["sort"] === sort ? order : "none",
        );
    }
  }
}

function choiceFrom(words: URLSearchParams): Choice {
  const sort = words.get("sort") ?? "name";
  return {
    search: words.get("search") ?? "",
    sort: SORT_KEYS.find((key) => key === sort.replace(/^-/, "")) ?? "name",
    descending: sort.startsWith("-"),
    group: words.get("group") === "machine" ? "machine" : "service",
    show: SHOWN.find((one) => one === words.get("show")) ?? "all",
  };
}
