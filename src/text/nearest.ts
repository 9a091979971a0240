/**
 * The number of letters to insert, delete, replace or swap with their neighbor to turn one word
 * into another: the restricted Damerau-Levenshtein distance.
 */
export function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (row[j - 1] ?? 0) + 1,
        (last[j] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
        swapped && i > 1 && j > 1 ? (before[j - 2] ?? 0) + 1 : Infinity,
      );
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/**
 * The word that was probably meant: the candidate with the smallest distance, if that is at most a
 * third of the word's length, or a candidate that begins with the word. Among candidates at the
 * same distance, one that begins with the word comes first.
 */
export function nearest(
  word: string,
  candidates: Iterable<string>,
): string | undefined {
  let best: string | undefined;
  let limit = Math.max(1, Math.floor(word.length / 3));
  let begun: string | undefined;
  for (const candidate of candidates) {
    const steps = distance(word.toLowerCase(), candidate.toLowerCase());
    const begins = word.length > 1 && candidate.startsWith(word);
    const better = best === undefined || (begins && !best.startsWith(word));
    if (steps < limit || (steps === limit && better)) {
      best = candidate;
      limit = steps;
    }
    if (begins) begun ??= candidate;
  }
  return best ?? begun;
}
