import { UsageFault } from "./usage-errors.js";

/** How an option is written. */
export interface Spelling {
  /** Its letters, each of which stands for it; most have one, some none */
  readonly short?: string;
  readonly long: string;
  /** Whether it takes a value; absent: it takes none */
  readonly value?: "required" | "optional";
}

/** A table of options, ready to be looked up. */
export class Spellings<Row extends Spelling> {
  readonly #byLong = new Map<string, Row>();
  readonly #byShort = new Map<string, Row>();
  /** By the word that is the option and nothing else, as most are: `-t`, `--weight` */
  readonly #byWord = new Map<string, Row>();

  /** @param foreign what to say of long names that are not in the table, beside that they are unknown */
  constructor(
    rows: Iterable<Row>,
    readonly foreign: ReadonlyMap<string, string> = new Map(),
  ) {
    for (const row of rows) {
      this.#byLong.set(row.long, row);
      this.#byWord.set(`--${row.long}`, row);
      for (const letter of row.short ?? "") {
        this.#byShort.set(letter, row);
        this.#byWord.set(`-${letter}`, row);
      }
    }
  }

  word(word: string): Row | undefined {
    return this.#byWord.get(word);
  }

  long(name: string): Row | undefined {
    return this.#byLong.get(name);
  }

  short(letter: string): Row | undefined {
    return this.#byShort.get(letter);
  }
}

/**
 * Takes the options off a command line one by one, with the habits of the popt library that the
 * original is built on: letters group (`-Ln`); a value is attached (`-w5`), follows `=` (`-w=5`,
 * `--weight=5`) or is the next word, whatever it looks like; an optional value is the next word unless
 * that begins with `-`; long names are not abbreviated; `--` ends the options.
 */
export class Scanner<Row extends Spelling> {
  readonly #spellings: Spellings<Row>;
  #words: readonly string[];
  #next = 0;
  /** What follows the letter that was read last, in its word */
  #letters = "";
  #optionsEnded = false;
  /** The words that are neither options nor their values, by their place on the line */
  free: number[] = [];
  /** The value of the option that was read last; undefined: it has none */
  value: string | undefined;

  constructor(words: readonly string[], spellings: Spellings<Row>) {
    this.#words = words;
    this.#spellings = spellings;
  }

  /** Begins with another line. */
  load(words: readonly string[]): void {
    this.#words = words;
    this.#next = 0;
    this.#letters = "";
    this.#optionsEnded = false;
    if (this.free.length > 0) this.free = [];
  }

  /** Whether `--` was read. */
  get optionsEnded(): boolean {
    return this.#optionsEnded;
  }

  /** Where the word stands that was read last. */
  get position(): number {
    return this.#next - 1;
  }

  /** The word that was read last: the original names it in its faults, be it the option or its value. */
  get word(): string {
    return this.#words[this.position] ?? "";
  }

  /**
   * The next option, or undefined at the end of the line; `value` is what goes with it.
   *
   * @throws {UsageFault} `scanner`: an unknown option, a missing value, or one too many
   */
  next(): Row | undefined {
    if (this.#letters !== "") return this.#short();
    while (this.#next < this.#words.length) {
      const word = this.#words[this.#next++] ?? "";
      const row = this.#optionsEnded ? undefined : this.#spellings.word(word);
      if (row) return this.#with(row, undefined);
      if (this.#optionsEnded || !word.startsWith("-") || word === "-") {
        this.free.push(this.position);
      } else if (word === "--") {
        this.#optionsEnded = true;
      } else if (word.startsWith("--")) {
        return this.#long(word.slice(2));
      } else {
        this.#letters = word.slice(1);
        return this.#short();
      }
    }
    return undefined;
  }

  #long(text: string): Row {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    const attached = equals < 0 ? undefined : text.slice(equals + 1);
    const row = this.#spellings.long(name) ?? this.#unknown(name);
    if (!row.value && attached !== undefined)
      this.#fault("option does not take an argument");
    return this.#with(row, attached);
  }

  #short(): Row {
    const letter = this.#letters.charAt(0);
    const rest = this.#letters.slice(1);
    this.#letters = "";
    const row = this.#spellings.short(letter) ?? this.#fault("unknown option");
    if (row.value)
      return this.#with(
        row,
        rest === "" ? undefined : rest.startsWith("=") ? rest.slice(1) : rest,
      );
    if (rest.startsWith("=")) this.#fault("option does not take an argument");
    this.#letters = rest;
    return this.#with(row, undefined);
  }

  /** An option with its value, which is the next word unless it is attached. */
  #with(row: Row, attached: string | undefined): Row {
    this.value = row.value ? (attached ?? this.#following(row)) : undefined;
    return row;
  }

  /** The next word as a value. */
  #following(row: Row): string | undefined {
    const word = this.#words[this.#next];
    if (
      row.value === "optional" &&
      (word === undefined || word.startsWith("-"))
    )
      return undefined;
    if (word === undefined) return this.#fault("missing argument");
    this.#next++;
    return word;
  }

  #unknown(name: string): never {
    const remark = this.#spellings.foreign.get(name);
    return this.#fault(`unknown option${remark ? `\n${remark}` : ""}`);
  }

  #fault(what: string): never {
    throw new UsageFault("scanner", `${this.word}: ${what}`, this.position);
  }
}
