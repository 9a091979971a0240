import { UsageFault } from "./usage-errors.js";

/** The syntax of an option. */
export interface OptionSyntax {
  /** Its letters. Most options have one, some none, and a few have two */
  readonly short?: string;
  readonly long: string;
  /** Whether it takes a value; by default it does not */
  readonly value?: "required" | "optional";
}

/** Options, indexed for lookup. */
export class OptionTable<Row extends OptionSyntax> {
  readonly #byLong = new Map<string, Row>();
  readonly #byShort = new Map<string, Row>();
  /** By the whole word, for words that contain nothing but the option: `-t`, `--weight` */
  readonly #byWord = new Map<string, Row>();

  /** @param foreign hints for long options of other programs, added to the error */
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
 * Reads the options of a command line one by one, like the popt library that the original uses.
 * Letters can be grouped (`-Ln`). A value is attached (`-w5`), follows `=` (`-w=5`, `--weight=5`),
 * or is the next word, even if that begins with `-`. An optional value is the next word only if
 * that does not begin with `-`. Long names cannot be abbreviated. `--` ends the options.
 */
export class Scanner<Row extends OptionSyntax> {
  readonly #table: OptionTable<Row>;
  #words: readonly string[];
  #next = 0;
  /** The rest of the current word after the last letter */
  #letters = "";
  #optionsEnded = false;
  /** Positions of the words that are neither options nor values */
  free: number[] = [];
  /** The value of the last option; undefined if it has none */
  value: string | undefined;

  constructor(words: readonly string[], table: OptionTable<Row>) {
    this.#words = words;
    this.#table = table;
  }

  /** Starts with another line. */
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

  /** The position of the last word that was read. */
  get position(): number {
    return this.#next - 1;
  }

  /** The last word that was read: an option or a value. The original names it in its messages. */
  get word(): string {
    return this.#words[this.position] ?? "";
  }

  /**
   * Reads the next option and sets `value`. Returns undefined at the end of the line.
   *
   * @throws {UsageFault} `scanner`: an unknown option, a missing value, or a value that the option
   *   does not take
   */
  next(): Row | undefined {
    if (this.#letters !== "") return this.#short();
    while (this.#next < this.#words.length) {
      const word = this.#words[this.#next++] ?? "";
      const row = this.#optionsEnded ? undefined : this.#table.word(word);
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
    const row = this.#table.long(name) ?? this.#unknown(name);
    if (!row.value && attached !== undefined)
      this.#fault("option does not take an argument");
    return this.#with(row, attached);
  }

  #short(): Row {
    const letter = this.#letters.charAt(0);
    const rest = this.#letters.slice(1);
    this.#letters = "";
    const row = this.#table.short(letter) ?? this.#fault("unknown option");
    if (row.value)
      return this.#with(
        row,
        rest === "" ? undefined : rest.startsWith("=") ? rest.slice(1) : rest,
      );
    if (rest.startsWith("=")) this.#fault("option does not take an argument");
    this.#letters = rest;
    return this.#with(row, undefined);
  }

  /** Sets the value of an option: attached, or the next word. */
  #with(row: Row, attached: string | undefined): Row {
    this.value = row.value ? (attached ?? this.#following(row)) : undefined;
    return row;
  }

  /** Reads the next word as a value. */
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
    const remark = this.#table.foreign.get(name);
    return this.#fault(`unknown option${remark ? `\n${remark}` : ""}`);
  }

  #fault(what: string): never {
    throw new UsageFault("scanner", `${this.word}: ${what}`, this.position);
  }
}
