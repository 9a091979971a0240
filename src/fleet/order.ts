import type { StoredValue } from "../store/store.js";
import { readRequest, type ExaminationRequest } from "./examination.js";
import { RecordReader } from "./record.js";
import type { Head } from "./revision.js";

/** A revision that a rollout gives to a director, instead of the released one. */
export interface WantedRevision {
  readonly table: string;
  readonly revision: number;
  /** What the rollout wants to know of the director afterwards */
  readonly examine?: ExaminationRequest | undefined;
}

/** What an operator or a rollout wants of one director. */
export interface Order {
  /** The director changes nothing, except for drains */
  readonly paused: boolean;
  readonly wanted?: WantedRevision | undefined;
}

export const NO_ORDER: Order = { paused: false };

export function readOrder({ key, value }: StoredValue): Order {
  const record = RecordReader.parse(key, value);
  const paused = record.flag("paused");
  if (!record.has("wanted")) return { paused };
  const wanted = record.record("wanted");
  return {
    paused,
    wanted: {
      table: wanted.text("table"),
      revision: wanted.count("revision"),
      ...(wanted.has("examine") && {
        examine: readRequest(wanted.record("examine")),
      }),
    },
  };
}

/** The revision that a director is to apply; undefined if there is none, or the director is paused. */
export function wantedRevision(
  table: string,
  head: Head | undefined,
  { paused, wanted }: Order,
): number | undefined {
  if (paused) return undefined;
  if (wanted?.table === table) return wanted.revision;
  return head && head.released > 0 ? head.released : undefined;
}
