import type { ServerEntry, ServiceEntry } from "../../ipvs/model.js";
import { escapeControls } from "../../cli/escape.js";
import { shortCount } from "../../cli/units.js";

/** What happened to a service or a real server. `at` is in seconds of the clock. */
export type Change =
  | { readonly kind: "new" | "gone"; readonly at: number }
  /** The weight or the scheduler was edited. `before` is the old value */
  | {
      readonly kind: "edited";
      readonly before: string | number;
      readonly at: number;
    };

/** How long a change is shown. */
const CHANGE_SECONDS = 60;

/** Whether a change is still shown. */
export function isFresh(change: Change | undefined, now: number): boolean {
  return change !== undefined && now - change.at < CHANGE_SECONDS;
}

/** Compares two readings of a service or a server. Returns undefined if nothing worth showing changed. */
export function changeOf(
  before: ServiceEntry | ServerEntry | undefined,
  now: ServiceEntry | ServerEntry,
  at: number,
): Change | undefined {
  if (!before) return { kind: "new", at };
  const [old, current] = [shownSetting(before), shownSetting(now)];
  return old === current ? undefined : { kind: "edited", before: old, at };
}

/** The setting whose changes are shown: a server's weight, a service's scheduler. */
function shownSetting({
  settings,
}: ServiceEntry | ServerEntry): string | number {
  return "weight" in settings
    ? settings.weight
    : escapeControls(settings.scheduler);
}

/** A weight in at most six characters. */
export function weightText(weight: number): string {
  return weight > 999_999 ? shortCount(weight) : String(weight);
}

/** A change in a few characters: `new`, `gone`, `was 5`. */
export function changeText(change: Change | undefined): string {
  if (!change) return "";
  if (change.kind !== "edited") return change.kind;
  const { before } = change;
  return `was ${typeof before === "number" ? weightText(before) : before}`;
}
