import type { ServerEntry, ServiceEntry } from "../../ipvs/model.js";
import { escapeControls } from "../../cli/escape.js";
import { shortCount } from "../../cli/units.js";

/** What happened to a service or a real server, and when, in seconds of the clock. */
export type Change =
  | { readonly kind: "new" | "gone"; readonly at: number }
  /** Its weight or scheduler: what it was before */
  | { readonly kind: "was"; readonly before: string; readonly at: number };

/** For how long a change is shown. */
export const CHANGE_SECONDS = 60;

/** Whether a change is to be shown still. */
export function isFresh(change: Change | undefined, now: number): boolean {
  return change !== undefined && now - change.at < CHANGE_SECONDS;
}

/** What changed of a service or server since it was read before; undefined if that is nothing to tell of. */
export function changeOf(
  before: ServiceEntry | ServerEntry | undefined,
  now: ServiceEntry | ServerEntry,
  at: number,
): Change | undefined {
  if (!before) return { kind: "new", at };
  const [old, current] = [telling(before), telling(now)];
  return old === current ? undefined : { kind: "was", before: old, at };
}

/** What is told of when it changes: a server's weight, a service's scheduler. */
function telling({ settings }: ServiceEntry | ServerEntry): string {
  return "weight" in settings
    ? weightText(settings.weight)
    : escapeControls(settings.scheduler);
}

/** A weight, in at most six characters. */
export function weightText(weight: number): string {
  return weight > 999_999 ? shortCount(weight) : String(weight);
}

/** A change in a word or two: `new`, `gone`, `was 5`. */
export function changeText(change: Change | undefined): string {
  if (!change) return "";
  return change.kind === "was" ? `was ${change.before}` : change.kind;
}
