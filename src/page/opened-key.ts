const NAME = "open";

/** Keeps the key of the open details in the address: it can be sent to others, and Back closes the details. */
export class OpenedKey {
  /** @param changed is called with the key when the reader goes back or forward. Undefined: nothing is open */
  constructor(changed: (key: string | undefined) => void) {
    window.addEventListener("popstate", () => {
      changed(this.key);
    });
  }

  get key(): string | undefined {
    return words().get(NAME) ?? undefined;
  }

  /** The details have been opened. Those of a link in the details take their place. */
  opened(key: string): void {
    const before = this.key;
    if (key === before) return;
    const address = words();
    address.set(NAME, key);
    if (before === undefined)
      history.pushState({ opened: true }, "", `#${address.toString()}`);
    else history.replaceState(history.state, "", `#${address.toString()}`);
  }

  /** The reader has closed the details. */
  closed(): void {
    if (this.key === undefined) return;
    const state = history.state as { readonly opened?: boolean } | null;
    if (state?.opened) {
      history.back();
      return;
    }
    const address = words();
    address.delete(NAME);
    history.replaceState(null, "", `#${address.toString()}`);
  }
}

function words(): URLSearchParams {
  return new URLSearchParams(location.hash.slice(1));
}
