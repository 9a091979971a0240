import { UsageFault } from "../../grammar/usage-errors.js";
import {
  Scanner,
  type OptionSyntax,
  type OptionTable,
} from "../../grammar/scanner.js";

/** A command line that the user is typing. */
export interface Line {
  /** The words after the program's name. The word at the cursor is one of them, may be empty, and ends at the cursor */
  readonly words: readonly string[];
  /** The index of the word at the cursor */
  readonly index: number;
}

/** An option on the command line. */
export interface Found<Spec extends OptionSyntax> {
  readonly spec: Spec;
  readonly value: string | undefined;
}

/** What is at the cursor. */
export interface CursorContext<Spec extends OptionSyntax> {
  /** The other options of the line */
  readonly found: readonly Found<Spec>[];
  /** The positional arguments before the cursor */
  readonly positionals: readonly string[];
  /** The option whose value is at the cursor */
  readonly option: Spec | undefined;
  /** The part of the word before the value: `--output=` */
  readonly prefix: string;
  /** The value, option or positional argument as typed so far */
  readonly text: string;
  /** Whether an option is allowed here */
  readonly optional: boolean;
  /** If the word is a valid group of letters such as `-Ln`: the option of the last letter */
  readonly letters: Spec | undefined;
}

/** Finds out what is at the cursor, by the rules of the scanner. */
export function locateCursor<Spec extends OptionSyntax>(
  { words, index }: Line,
  spellings: OptionTable<Spec>,
): CursorContext<Spec> {
  const word = words[index] ?? "";
  const upToCursor = scan(words.slice(0, index + 1), spellings);
  const atCursor = upToCursor.all.filter(({ position }) => position === index);
  const [last] = atCursor.slice(-1);
  if (last?.value !== undefined && endsWith(word, last.value)) {
    const others = scan(words, spellings);
    return {
      found: others.all.filter(({ position }) => position !== index),
      positionals: positionalsBefore(upToCursor.positionals, index, words),
      option: last.spec,
      prefix: word.slice(0, word.length - last.value.length),
      text: last.value,
      // An optional value must not begin with a dash, so an option may be here.
      optional: last.spec.value === "optional" && word === "",
      letters: undefined,
    };
  }
  const others = scan(
    [...words.slice(0, index), ...words.slice(index + 1)],
    spellings,
  );
  return {
    found: others.all,
    positionals: positionalsBefore(upToCursor.positionals, index, words),
    option: undefined,
    prefix: "",
    text: word,
    optional: !scan(words.slice(0, index), spellings).ended,
    letters:
      /^-[^-]./.test(word) && !upToCursor.faults.has(index)
        ? last?.spec
        : undefined,
  };
}

function endsWith(word: string, value: string): boolean {
  return value === "" ? /^$|=$/.test(word) : word.endsWith(value);
}

function positionalsBefore(
  positionals: readonly number[],
  index: number,
  words: readonly string[],
): string[] {
  return positionals.filter((at) => at < index).map((at) => words[at] ?? "");
}

interface Scanned<Spec extends OptionSyntax> {
  readonly all: readonly (Found<Spec> & { readonly position: number })[];
  readonly positionals: readonly number[];
  readonly ended: boolean;
  /** The indexes of invalid words */
  readonly faults: ReadonlySet<number>;
}

/** Scans all options of a line. Invalid words are skipped. */
function scan<Spec extends OptionSyntax>(
  words: readonly string[],
  spellings: OptionTable<Spec>,
): Scanned<Spec> {
  const scanner = new Scanner(words, spellings);
  const all: (Found<Spec> & { position: number })[] = [];
  const faults = new Set<number>();
  for (;;) {
    try {
      const spec = scanner.next();
      if (!spec) break;
      all.push({ spec, value: scanner.value, position: scanner.position });
    } catch (error) {
      if (!(error instanceof UsageFault)) throw error;
      faults.add(scanner.position);
    }
  }
  return {
    all,
    positionals: scanner.free,
    ended: scanner.optionsEnded,
    faults,
  };
}
