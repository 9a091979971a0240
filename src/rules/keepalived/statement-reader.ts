import { nearest } from "../../text/nearest.js";
import type { ConfigurationBuilder } from "../configuration-builder.js";
import type { Statement, Word } from "./statements.js";

/** Reads the arguments of statements, and reports what is wrong with them. */
export class StatementReader {
  readonly builder: ConfigurationBuilder;
  #hasCondition = false;

  constructor(builder: ConfigurationBuilder) {
    this.builder = builder;
  }

  /** Whether a statement always applies. The first one that does not is an error, because its condition is unknown. */
  applies({ condition, at }: Statement): boolean {
    if (condition === undefined) return true;
    if (!this.#hasCondition)
      this.builder.error(
        at,
        "condition",
        `it is unknown whether ${condition} applies: that depends on the options that keepalived was started with`,
        "check a copy of the file without conditions",
      );
    this.#hasCondition = true;
    return false;
  }

  /** The first argument; an error if there is none. */
  word(statement: Statement, expected: string): Word | undefined {
    const [word] = statement.arguments;
    if (!word)
      this.builder.error(
        statement.at,
        "form",
        `missing argument of ${statement.keyword}: expected ${expected}`,
      );
    return word;
  }

  /** The first argument as a number; an error if it is none. */
  number(
    statement: Statement,
    minimum: number,
    maximum: number,
  ): number | undefined {
    const range = `a number from ${minimum} to ${maximum}`;
    const word = this.word(statement, range);
    return word && this.numberOf(word, minimum, maximum, range);
  }

  numberOf(
    word: Word,
    minimum: number,
    maximum: number,
    expected = `a number from ${minimum} to ${maximum}`,
  ): number | undefined {
    const number = parseNumber(word.text, minimum, maximum);
    if (number === undefined) this.invalid(word, expected);
    return number;
  }

  /** Reports a word that is not what is expected. */
  invalid({ text, at }: Word, expected: string): void {
    const isUndefined = text.includes("$");
    this.builder.error(
      at,
      "form",
      `"${text}": expected ${expected}`,
      isUndefined ? "define the parameter above this line" : undefined,
    );
  }

  /** A truth value; without an argument it is true. Anything else is ignored. */
  flag(statement: Statement): boolean | undefined {
    const [word] = statement.arguments;
    if (!word || /^(?:on|yes|true)$/i.test(word.text)) return true;
    if (/^(?:off|no|false)$/i.test(word.text)) return false;
    this.ignored(word, `"${word.text}" is neither on nor off`);
    return undefined;
  }

  /** Warns of a word that keepalived ignores. */
  ignored({ at }: Pick<Word, "at">, reason: string, advice?: string): void {
    this.builder.warn(
      at,
      "ignored",
      `${reason}: keepalived ignores it`,
      advice,
    );
  }

  /** Warns of an unknown keyword. */
  unknown({ keyword, at }: Statement, known: Iterable<string>): void {
    const meant = nearest(keyword, known);
    this.builder.warn(
      at,
      "unknown-keyword",
      `unknown keyword "${keyword}"`,
      meant === undefined ? undefined : `did you mean ${meant}?`,
    );
  }
}

/** Reads a decimal number. @returns undefined if it is none, or out of range */
export function parseNumber(
  text: string,
  minimum: number,
  maximum: number,
): number | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined;
  const value = Number(text);
  return value >= minimum && value <= maximum ? value : undefined;
}
