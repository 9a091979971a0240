import type { EndpointName, ServiceWithServers, Stats } from "../ipvs/model.js";
import type { TextBuilder } from "../text/text-builder.js";
import { NAME_COLUMNS, writeServerName, writeServiceName } from "./names.js";

/** The format of counters and rates. */
export interface CounterStyle {
  readonly format: "stats" | "rate";
  /** Show all digits */
  readonly exact: boolean;
  /** Formats endpoints; undefined for numbers */
  readonly name?: EndpointName | undefined;
}

/** The width of a name and of what precedes it. */
const COUNTER_NAME_COLUMNS = NAME_COLUMNS + 5;

/** Writes a service and its real servers with their counters, one line each. */
export function writeCounters(
  out: TextBuilder,
  { key, stats, servers }: ServiceWithServers,
  { format, exact, name }: CounterStyle,
): void {
  out.column();
  writeServiceName(out, key, name);
  out.fill(COUNTER_NAME_COLUMNS);
  for (const count of counters(stats, format)) out.text(counter(count, exact));
  out.text("\n");
  for (const server of servers) {
    out.text("  -> ").column();
    writeServerName(out, key, server.key, name);
    out.fill(NAME_COLUMNS);
    for (const [i, count] of counters(server.stats, format).entries())
      // The first three rates of a real server always have all digits.
      out.text(counter(count, exact || (format === "rate" && i < 3)));
    out.text("\n");
  }
}

function counters(stats: Stats, format: "stats" | "rate"): bigint[] {
  return format === "stats"
    ? [
        stats.connections,
        stats.inPackets,
        stats.outPackets,
        stats.inBytes,
        stats.outBytes,
      ]
    : [
        stats.connectionsPerSecond,
        stats.inPacketsPerSecond,
        stats.outPacketsPerSecond,
        stats.inBytesPerSecond,
        stats.outBytesPerSecond,
      ];
}

/** From each of these limits on, a counter is divided by 1000 once more. */
const UNITS = [
  [100_000_000_000_000n, 1_000_000_000_000n, "T"],
  [100_000_000_000n, 1_000_000_000n, "G"],
  [1_000_000_000n, 1_000_000n, "M"],
  [100_000_000n, 1_000n, "K"],
] as const;

/** Formats a counter in 9 columns. */
function counter(count: bigint, exact: boolean): string {
  const unit = exact ? undefined : UNITS.find(([from]) => count >= from);
  if (!unit) return ` ${String(count).padStart(8)}`;
  const [, divisor, letter] = unit;
  return String(count / divisor).padStart(8) + letter;
}
