/* What the command line can name: for the table of options, which loads nothing else of this subcommand. */

/** Which series are wanted: all, those that node_exporter's ipvs collector has, or those that it lacks. */
export const SERIES = ["all", "node", "more"] as const;
export type Series = (typeof SERIES)[number];
