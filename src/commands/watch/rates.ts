import type { Stats } from "../../ipvs/model.js";

/** By how much the counters grow in a second. */
export interface Rates {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
}

const COUNTERS = [
  "connections",
  "inPackets",
  "outPackets",
  "inBytes",
  "outBytes",
] as const satisfies readonly (keyof Rates & keyof Stats)[];

export const STANDSTILL: Rates = {
  connections: 0,
  inPackets: 0,
  outPackets: 0,
  inBytes: 0,
  outBytes: 0,
};

/** The rates that are kept for a minute. */
export const SPARKED = ["connections", "packets", "bytes"] as const;
export type Sparked = (typeof SPARKED)[number];

/** One of those rates: packets and bytes are those of both directions. */
export function rateOf(rates: Rates, kind: Sparked): number {
  if (kind === "packets") return rates.inPackets + rates.outPackets;
  if (kind === "bytes") return rates.inBytes + rates.outBytes;
  return rates.connections;
}

export function addRates(a: Rates, b: Rates): Rates {
  const sum: Record<keyof Rates, number> = { ...a };
  for (const name of COUNTERS) sum[name] += b[name];
  return sum;
}

/** How often the kernel brings its counters up to date. @see est_timer in net/netfilter/ipvs/ip_vs_est.c */
const REFRESH_SECONDS = 2;
/** After so long without growth, it is sure that the kernel has looked and found none. */
const PATIENCE_SECONDS = 2.5;

/** Counters that were read, when, and the rates that came of it. */
export interface Meter {
  /** When they were found changed last, or standing still, in seconds */
  readonly at: number;
  readonly stats: Stats;
  /** Undefined until they were read twice */
  readonly rates: Rates | undefined;
}

/**
 * Measures rates by what counters grew between two readings, over the time between them.
 *
 * The kernel adds to its counters every 2 seconds. Whoever reads them more often finds no growth, and then that of
 * 2 seconds: so growth counts from the reading at which they grew before, and counters that have not
 * grown for less than that keep their rates.
 *
 * Counters that went back were zeroed, or are those of a service made anew: their rates are unknown until the
 * next reading.
 *
 * @param at when they were read, in seconds of any clock
 */
export function measured(
  before: Meter | undefined,
  stats: Stats,
  at: number,
): Meter {
  if (!before) return { at, stats, rates: undefined };
  const growth = COUNTERS.map((name) => stats[name] - before.stats[name]);
  if (growth.some((n) => n < 0n)) return { at, stats, rates: undefined };
  const seconds = at - before.at;
  if (growth.every((n) => n === 0n))
    return seconds < PATIENCE_SECONDS
      ? { at: before.at, stats, rates: before.rates ?? STANDSTILL }
      : { at, stats, rates: STANDSTILL };
  const over = Math.max(seconds, REFRESH_SECONDS);
  const rates: Record<keyof Rates, number> = { ...STANDSTILL };
  COUNTERS.forEach((name, i) => {
    rates[name] = Number(growth[i] ?? 0n) / over;
  });
  return { at, stats, rates };
}
