import { changeText } from "./change-text.js";
import { byId } from "./dom.js";
import type { ChangeRow } from "./events.js";
import { counted } from "./format.js";

/** Tells changes of the table to those who do not see them. */
export function announce(changes: readonly ChangeRow[]): void {
  const last = changes.at(-1);
  if (!last) return;
  const text = sentenceOf(last);
  byId("announcement", HTMLElement).textContent =
    changes.length === 1
      ? text
      : `${counted(changes.length, "change")}, the last one: ${text}`;
}

function sentenceOf(change: ChangeRow): string {
  const { service, server } = change;
  const name = server === undefined ? service : `${server} of ${service}`;
  return `${name}: ${changeText(change)}`;
}
