/** The middle value; the mean of the two middle ones if there is an even number. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1
    ? upper
    : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** The smallest and the largest value. */
export function spread(
  values: readonly number[],
): readonly [least: number, most: number] {
  return values.length === 0
    ? [NaN, NaN]
    : [Math.min(...values), Math.max(...values)];
}

/**
 * The median of the ratios within each round: what the machine did to all programs of a round alike falls
 * out of it.
 *
 * @param above by round
 * @param below by round; rounds that only one side has do not count
 * @returns undefined when there is no round that both have
 */
export function pairedRatio(
  above: ReadonlyMap<number, number>,
  below: ReadonlyMap<number, number>,
): number | undefined {
  const ratios: number[] = [];
  for (const [round, value] of above) {
    const other = below.get(round);
    if (other !== undefined) ratios.push(value / other);
  }
  return ratios.length === 0 ? undefined : median(ratios);
}
