/** The middle value, or the mean of the two middle values. NaN for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1
    ? upper
    : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** The minimum and the maximum. */
export function spread(
  values: readonly number[],
): readonly [least: number, most: number] {
  return values.length === 0
    ? [NaN, NaN]
    : [Math.min(...values), Math.max(...values)];
}

/**
 * The median of the ratios within each round. Removes what slowed down all programs of a round.
 *
 * @param above by round
 * @param below by round; rounds that only one side has are ignored
 * @returns undefined if there is no common round
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
