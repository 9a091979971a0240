/* The values of --columns. The spec imports them, so this file imports nothing. */

/** The columns after the name, in their default order. */
export const WATCH_COLUMNS = [
  "state",
  "method",
  "weight",
  "active",
  "inactive",
  "persistent",
  "limits",
  "rate",
  "packets-in-rate",
  "packets-out-rate",
  "in-rate",
  "out-rate",
  "change",
  "history",
] as const;
export type WatchColumnKey = (typeof WATCH_COLUMNS)[number];

/** The columns that are shown if none are chosen. */
export const DEFAULT_COLUMNS: readonly WatchColumnKey[] = WATCH_COLUMNS.filter(
  (key) => !["inactive", "persistent", "limits"].includes(key),
);
