/*
 * Short numbers for people. All prefixes are SI: k is 1000, M is 1000 000, G is 1000 000 000. Traffic is in bytes, not bits.
 */

const PREFIXES = ["", "k", "M", "G", "T", "P", "E"];

/** A count in at most five characters: `999`, `1.5k`, `12.0M`. It is rounded down, so no limit seems to be reached early. */
export function shortCount(count: bigint | number): string {
  let rest = BigInt(count);
  let power = 0;
  while (rest >= 1_000_000n && power < PREFIXES.length - 2) {
    rest /= 1000n;
    power++;
  }
  if (rest < 1000n) return `${rest}${PREFIXES[power]}`;
  const [whole, tenth] = [rest / 1000n, (rest % 1000n) / 100n];
  const digits = whole < 100n ? `${whole}.${tenth}` : String(whole);
  return `${digits}${PREFIXES[power + 1]}`;
}

/** Bytes: `999B`, `1.5kB`, `12.0MB`. */
export function shortBytes(bytes: bigint | number): string {
  return `${shortCount(bytes)}B`;
}

/** Bytes per second: `1.5kB/s`. */
export function shortByteRate(bytesPerSecond: bigint | number): string {
  return `${shortBytes(bytesPerSecond)}/s`;
}

/** Connections or packets per second: `1.5k/s`. */
export function shortRate(perSecond: bigint | number): string {
  return `${shortCount(perSecond)}/s`;
}

const DURATIONS = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
  ["s", 1],
] as const;

/** A duration in its two largest units: `15m`, `2m 30s`, `1d 2h`. */
export function shortDuration(seconds: number): string {
  const parts: string[] = [];
  let rest = Math.floor(seconds);
  for (const [unit, size] of DURATIONS) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break; // Not `1h 5s`: the second unit must be the next smaller one.
  }
  return parts.slice(0, 2).join(" ") || "0s";
}

/** A number with its noun: `1 service`, `2 services`. @param number how the count is written */
export function counted(
  count: number,
  one: string,
  many = `${one}s`,
  number = String(count),
): string {
  return `${number} ${count === 1 ? one : many}`;
}
