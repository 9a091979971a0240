import { UsageFault } from "../../grammar/usage-errors.js";
import {
  Scanner,
  type OptionSyntax,
  type OptionTable,
} from "../../grammar/scanner.js";

/** A command line that is being written. */
export interface Line {
  /** Behind the program's name; the word at the cursor is there, if only as an empty one, and ends at the cursor */
  readonly words: readonly string[];
  /** The place of that word */
  readonly index: number;
}

/** An option met on the command line. */
export interface Found<Row extends OptionSyntax> {
  readonly row: Row;
  readonly value: string | undefined;
}

/** What stands at the cursor. */
export interface Place<Row extends OptionSyntax> {
  /** The other options of the line */
  readonly found: readonly Found<Row>[];
  /** The free words before it */
  readonly free: readonly string[];
  /** The option whose value is being written, if it is one */
  readonly option: Row | undefined;
  /** What is written before the value in the same word: `--output=` */
  readonly head: string;
  /** What is written of the value, the option or the free word */
  readonly text: string;
  /** Whether an option may stand here */
  readonly optional: boolean;
  /** Whether the word is a group of letters as it stands, and which is the last: `-Ln` */
  readonly letters: Row | undefined;
}

/** Finds out what stands at the cursor, by the habits of the scanner. */
export function placeOn<Row extends OptionSyntax>(
  { words, index }: Line,
  table: OptionTable<Row>,
): Place<Row> {
  const word = words[index] ?? "";
  const till = scan(words.slice(0, index + 1), table);
  const here = till.all.filter(({ position }) => position === index);
  const [last] = here.slice(-1);
  if (last?.value !== undefined && endsWith(word, last.value)) {
    const rest = scan(words, table);
    return {
      found: rest.all.filter(({ position }) => position !== index),
      free: freeBefore(till.free, index, words),
      option: last.row,
      head: word.slice(0, word.length - last.value.length),
      text: last.value,
      // An optional value is one only if it does not begin with a dash.
      optional: last.row.value === "optional" && word === "",
      letters: undefined,
    };
  }
  const rest = scan(
    [...words.slice(0, index), ...words.slice(index + 1)],
    table,
  );
  return {
    found: rest.all,
    free: freeBefore(till.free, index, words),
    option: undefined,
    head: "",
    text: word,
    optional: !scan(words.slice(0, index), table).ended,
    letters:
      /^-[^-]./.test(word) && !till.faults.has(index) ? last?.row : undefined,
  };
}

function endsWith(word: string, value: string): boolean {
  return value === "" ? /^$|=$/.test(word) : word.endsWith(value);
}

function freeBefore(
  free: readonly number[],
  index: number,
  words: readonly string[],
): string[] {
  return free.filter((at) => at < index).map((at) => words[at] ?? "");
}

interface Scanned<Row extends OptionSyntax> {
  readonly all: readonly (Found<Row> & { readonly position: number })[];
  readonly free: readonly number[];
  readonly ended: boolean;
  /** The places of words that are at fault */
  readonly faults: ReadonlySet<number>;
}

/** All options of a line; what is at fault is passed over. */
function scan<Row extends OptionSyntax>(
  words: readonly string[],
  table: OptionTable<Row>,
): Scanned<Row> {
  const scanner = new Scanner(words, table);
  const all: (Found<Row> & { position: number })[] = [];
  const faults = new Set<number>();
  for (;;) {
    try {
      const row = scanner.next();
      if (!row) break;
      all.push({ row, value: scanner.value, position: scanner.position });
    } catch (error) {
      if (!(error instanceof UsageFault)) throw error;
      faults.add(scanner.position);
    }
  }
  return { all, free: scanner.free, ended: scanner.optionsEnded, faults };
}
