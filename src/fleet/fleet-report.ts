import type { Store, StoredValue } from "../store/store.js";
import {
  readDirectorLoad,
  readDirectorState,
  type DirectorLoad,
  type DirectorState,
} from "./director-state.js";
import { readDrain, type Drain } from "./drain.js";
import { readExamination, type StoredExamination } from "./examination.js";
import { StoreRecordFault } from "./fleet-error.js";
import type { FleetKeys } from "./keys.js";
import { NO_ORDER, readOrder, wantedRevision, type Order } from "./order.js";
import { readHead, type Head } from "./revision.js";
import { readRollout, type Rollout } from "./rollout/rollout.js";

/** How a director does, most severe first. */
export const VERDICTS = [
  /** It has not reported for a while */
  "silent",
  /** The wanted revision cannot be applied */
  "failed",
  /** An operator paused it */
  "paused",
  /** It has not applied the wanted revision yet */
  "behind",
  /** Somebody else changed its table */
  "drifting",
  /** Its table has no released revision */
  "waiting",
  "ok",
] as const;
export type Verdict = (typeof VERDICTS)[number];

/** A director, as the store knows it. */
export interface DirectorReport {
  readonly name: string;
  readonly verdict: Verdict;
  readonly reason?: string | undefined;
  /** Undefined if it never reported, or its report is malformed */
  readonly state: DirectorState | undefined;
  readonly load: DirectorLoad | undefined;
  /** What it found last, if a rollout asks for it at the moment */
  readonly examination?: StoredExamination | undefined;
  readonly order: Order;
  /** The revision that it is to apply */
  readonly wanted: number | undefined;
}

/** All that the store knows of the directors. */
export interface FleetReport {
  readonly heads: ReadonlyMap<string, Head>;
  readonly directors: readonly DirectorReport[];
  readonly drains: readonly Drain[];
  /** The last rollout of each table */
  readonly rollouts: readonly Rollout[];
}

/** Reads the reports of all directors. Malformed records count as failed directors. @throws {StoreError} */
export async function readFleet(
  store: Store,
  keys: FleetKeys,
): Promise<FleetReport> {
  const { heads, directors, orders, drains, rollouts } = keys;
  const [a, b, c, d, e] = await Promise.all(
    [heads, directors, orders, drains, rollouts].map(
      async (prefix) => (await store.range(prefix)).found,
    ),
  );
  return reportOf(keys, {
    heads: a ?? [],
    directors: b ?? [],
    orders: c ?? [],
    drains: d ?? [],
    rollouts: e ?? [],
  });
}

type Found = Readonly<
  Record<
    "heads" | "directors" | "orders" | "drains" | "rollouts",
    readonly StoredValue[]
  >
>;

function reportOf(keys: FleetKeys, found: Found): FleetReport {
  const heads = readAll(found.heads, keys.heads, readHead);
  const orders = readAll(found.orders, keys.orders, readOrder);
  const parts = new Map<string, Map<string, StoredValue>>();
  for (const value of found.directors) {
    const [name = "", part = ""] = value.key
      .slice(keys.directors.length)
      .split("/");
    const all = parts.get(name) ?? new Map<string, StoredValue>();
    parts.set(name, all.set(part, value));
  }
  for (const name of orders.keys())
    if (!parts.has(name)) parts.set(name, new Map());
  const drains = readAll(found.drains, keys.drains, readDrain);
  return {
    heads,
    directors: [...parts]
      .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
      .map(([name, all]) =>
        directorReport(name, all, orders.get(name) ?? NO_ORDER, heads),
      ),
    drains: [...drains.values()],
    rollouts: [...readAll(found.rollouts, keys.rollouts, readRollout).values()],
  };
}

function directorReport(
  name: string,
  parts: ReadonlyMap<string, StoredValue>,
  order: Order,
  heads: ReadonlyMap<string, Head>,
): DirectorReport {
  const state = attempt(parts.get("state"), readDirectorState);
  const load = attempt(parts.get("load"), readDirectorLoad);
  const known = state instanceof StoreRecordFault ? undefined : state;
  const wanted =
    known &&
    (order.paused
      ? known.applied
      : wantedRevision(known.table, heads.get(known.table), order));
  const rest = {
    name,
    state: known,
    examination: examinationOf(parts.get("examination"), order),
    load: load instanceof StoreRecordFault ? undefined : load,
    order,
    wanted,
  };
  if (!parts.has("alive")) return { ...rest, verdict: "silent" };
  if (state instanceof StoreRecordFault)
    return { ...rest, verdict: "failed", reason: state.fault };
  if (!known) return { ...rest, verdict: "waiting" };
  return { ...rest, ...verdictOf(known, order, wanted) };
}

/** A report for another rollout does not count. A malformed one neither: the rollout waits for the next. */
function examinationOf(
  value: StoredValue | undefined,
  { wanted }: Order,
): StoredExamination | undefined {
  const found = attempt(value, readExamination);
  if (!found || found instanceof StoreRecordFault) return undefined;
  const asked =
    found.id === wanted?.examine?.id && found.revision === wanted.revision;
  return asked ? found : undefined;
}

function verdictOf(
  { condition, reason, applied, dryRun }: DirectorState,
  { paused }: Order,
  wanted: number | undefined,
): Pick<DirectorReport, "verdict" | "reason"> {
  if (condition === "failed") return { verdict: "failed", reason };
  if (paused) return { verdict: "paused" };
  if (wanted !== applied || condition === "starting")
    return wanted === undefined
      ? { verdict: "waiting", reason }
      : { verdict: "behind", reason: dryRun ? "dry run" : reason };
  if (condition === "waiting") return { verdict: "waiting", reason };
  return { verdict: condition === "drifting" ? "drifting" : "ok" };
}

/** Records by the rest of their keys, without those that are malformed. */
function readAll<Record>(
  values: readonly StoredValue[],
  prefix: string,
  read: (value: StoredValue) => Record,
): Map<string, Record> {
  const all = new Map<string, Record>();
  for (const value of values) {
    const record = attempt(value, read);
    if (record !== undefined && !(record instanceof StoreRecordFault))
      all.set(value.key.slice(prefix.length), record);
  }
  return all;
}

function attempt<Record>(
  value: StoredValue | undefined,
  read: (value: StoredValue) => Record,
): Record | StoreRecordFault | undefined {
  if (!value) return undefined;
  try {
    return read(value);
  } catch (error) {
    if (error instanceof StoreRecordFault) return error;
    throw error;
  }
}
