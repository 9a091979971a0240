import type { DestinationEntry, ServiceEntry } from "../../ipvs/model.js";
import { clean } from "../text.js";
import { shortCount } from "../units.js";

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
  before: ServiceEntry | DestinationEntry | undefined,
  now: ServiceEntry | DestinationEntry,
  at: number,
): Change | undefined {
  if (!before) return { kind: "new", at };
  const [old, current] = [telling(before), telling(now)];
  return old === current ? undefined : { kind: "was", before: old, at };
}

/** What is told of when it changes: a server's weight, a service's scheduler. */
function telling({ settings }: ServiceEntry | DestinationEntry): string {
  return "weight" in settings
    ? weightText(settings.weight)
    : clean(settings.scheduler);
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
