/* The values that the options accept. The spec imports them, so this file imports nothing. */

/** The columns of a listing, in their default order. */
export const COLUMN_KEYS = [
  "name",
  "state",
  "method",
  "weight",
  "share",
  "active",
  "inactive",
  "persistent",
  "limits",
  "rate",
  "in-rate",
  "out-rate",
  "packets-in-rate",
  "packets-out-rate",
  "total",
  "in",
  "out",
  "packets-in",
  "packets-out",
] as const;
export type ColumnKey = (typeof COLUMN_KEYS)[number];

/** What a listing can be sorted by. `name` is the order of the classic listing. All others put the greatest first. */
export const SORT_KEYS = [
  "name",
  "state",
  "weight",
  "active",
  "connections",
  "persistent",
  "rate",
  "traffic",
  "total",
  "bytes",
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

export const FORMATS = [
  "table",
  "json",
  "ndjson",
  "csv",
  "yaml",
  "rules",
] as const;
