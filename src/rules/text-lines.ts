/** A position in a text. */
export interface Position {
  /** Counted from 1 */
  readonly line: number;
  /** Counted from 1, in characters */
  readonly column: number;
}

/** Finds lines and positions in a text. */
export class TextLines {
  readonly #text: string;
  #starts: readonly number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** The line and column of a character. */
  position(offset: number): Position {
    const starts = (this.#starts ??= lineStarts(this.#text));
    let low = 0;
    for (let high = starts.length; high - low > 1;) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }

  /** A line, counted from 1, without its end; empty if there is none. */
  line(number: number): string {
    const starts = (this.#starts ??= lineStarts(this.#text));
    const start = starts[number - 1];
    if (start === undefined) return "";
    const end = starts[number] ?? this.#text.length + 1;
    return this.#text.slice(start, end - 1).replace(/\r$/, "");
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1))
    starts.push(at + 1);
  return starts;
}
