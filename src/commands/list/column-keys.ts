/* What the command line can name: for the table of options, which loads nothing else of this subcommand. */

/** The columns that a listing can have, in their order. */
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

/** By what a listing can be sorted: the greatest comes first, but `name` is the order of the classic listing. */
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
