/* The values of an option. The spec imports them, so this file imports nothing. */

/** All series, those of node_exporter's ipvs collector, or those that the collector lacks. */
export const SERIES = ["all", "node", "more"] as const;
export type Series = (typeof SERIES)[number];
