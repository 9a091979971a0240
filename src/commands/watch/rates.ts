import type { Stats } from "../../ipvs/model.js";

/** The counters whose rates are measured. */
export const COUNTERS = [
  "connections",
  "inPackets",
  "outPackets",
  "inBytes",
  "outBytes",
] as const satisfies readonly (keyof Stats)[];
type Counter = (typeof COUNTERS)[number];

/** The growth of each counter per second. */
export type Rates = Readonly<Record<Counter, number>>;

export const ZERO_RATES: Rates = {
  connections: 0,
  inPackets: 0,
  outPackets: 0,
  inBytes: 0,
  outBytes: 0,
};

/** The rates whose history is kept. */
export const HISTORY_RATES = ["connections", "packets", "bytes"] as const;
export type HistoryRate = (typeof HISTORY_RATES)[number];

/** Returns one of these rates. Packets and bytes are the sums of both directions. */
export function rateOf(rates: Rates, kind: HistoryRate): number {
  if (kind === "packets") return rates.inPackets + rates.outPackets;
  if (kind === "bytes") return rates.inBytes + rates.outBytes;
  return rates.connections;
}

export function addRates(a: Rates, b: Rates): Rates {
  const sum: Record<keyof Rates, number> = { ...a };
  for (const name of COUNTERS) sum[name] += b[name];
  return sum;
}

/** How often the kernel updates its counters. @see est_timer in net/netfilter/ipvs/ip_vs_est.c */
const REFRESH_SECONDS = 2;
/** If a counter has not grown for this long, the kernel has updated it in between, and the rate is 0. */
const IDLE_SECONDS = 2.5;

/** The state of a rate measurement. */
export interface Meter {
  /** The start of the next measurement, in seconds: when the counters last changed, or were known to be idle */
  readonly at: number;
  readonly stats: Stats;
  /** Undefined after the first reading */
  readonly rates: Rates | undefined;
}

/**
 * Measures rates: the growth of the counters between two readings, divided by the time between them.
 *
 * The kernel updates its counters every 2 seconds. A shorter interval sees no growth in some readings, and the growth of 2
 * seconds in others. Therefore growth is measured since the last reading with growth, and until then the rates stay.
 *
 * If a counter is lower than before, it was zeroed, or the service was created again. Its rates are unknown until the next
 * reading.
 *
 * @param at when the counters were read, in seconds of any clock
 */
export function measure(
  before: Meter | undefined,
  stats: Stats,
  at: number,
): Meter {
  if (!before) return { at, stats, rates: undefined };
  const seconds = at - before.at;
  // One loop, because there may be ten thousand servers.
  const over = Math.max(seconds, REFRESH_SECONDS);
  const rates: Record<keyof Rates, number> = { ...ZERO_RATES };
  let hasGrown = false;
  for (const name of COUNTERS) {
    const [old, current] = [before.stats[name], stats[name]];
    if (current === old) continue;
    if (current < old) return { at, stats, rates: undefined };
    hasGrown = true;
    rates[name] = Number(current - old) / over;
  }
  if (hasGrown) return { at, stats, rates };
  return seconds < IDLE_SECONDS
    ? { at: before.at, stats, rates: before.rates ?? ZERO_RATES }
    : { at, stats, rates: ZERO_RATES };
}
