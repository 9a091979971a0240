import {
  malformed,
  type Member,
  type Node,
  type ParsedDocument,
  type Scalar,
} from "./parsed-document.js";

/*
 * JSON.parse does not report positions or duplicate fields, and rounds integers beyond 2^53. Therefore the project has
 * its own parser.
 */

/** Far more levels than a table has. */
const MAXIMUM_DEPTH = 64;

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const BLANKS = /[ \t\n\r]*/y;
const LITERALS: readonly (readonly [string, Scalar])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

/**
 * Parses JSON.
 *
 * @throws {MalformedDocument} with the first syntax error or duplicate field
 * @see RFC 8259
 */
export function parseJson(text: string): ParsedDocument {
  return { text, root: new Parser(text).document() };
}

class Parser {
  readonly #text: string;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Node {
    if (this.#text.startsWith("\ufeff")) this.#offset = 1; // a byte order mark
    const root = this.#value(0);
    if (this.#offset < this.#text.length)
      this.#fail("expected the end of the document");
    return root;
  }

  /** A value, with the blanks around it. */
  #value(depth: number): Node {
    this.#match(BLANKS);
    const offset = this.#offset;
    if (depth > MAXIMUM_DEPTH) this.#fail("nested too deeply");
    const value = this.#bare(depth);
    this.#match(BLANKS);
    return { offset, value };
  }

  #bare(depth: number): Node["value"] {
    if (this.#take("{")) return this.#members(depth);
    if (this.#take("[")) return this.#items(depth);
    for (const [word, value] of LITERALS) if (this.#take(word)) return value;
    return this.#string() ?? this.#number() ?? this.#fail(this.#expected());
  }

  #members(depth: number): ReadonlyMap<string, Member> {
    const members = new Map<string, Member>();
    this.#match(BLANKS);
    if (this.#take("}")) return members;
    do {
      this.#match(BLANKS);
      const nameOffset = this.#offset;
      const name = this.#string() ?? this.#fail(this.#expected("a field name"));
      if (members.has(name))
        this.#fail(`duplicate field "${name}"`, nameOffset);
      this.#match(BLANKS);
      if (!this.#take(":")) this.#fail(this.#expected("a colon"));
      members.set(name, { ...this.#value(depth + 1), nameOffset });
    } while (this.#take(","));
    if (!this.#take("}")) this.#fail(this.#expected("a comma or }"));
    return members;
  }

  #items(depth: number): readonly Node[] {
    const items: Node[] = [];
    this.#match(BLANKS);
    if (this.#take("]")) return items;
    do items.push(this.#value(depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) this.#fail(this.#expected("a comma or ]"));
    return items;
  }

  #string(): string | undefined {
    const start = this.#offset;
    if (!this.#take('"')) return undefined;
    // A loop, because regular expression engines limit how long a repeated group can be.
    for (; ; this.#offset++) {
      const code = this.#text.charCodeAt(this.#offset);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        if (!this.#match(ESCAPE)) this.#fail("unknown escape in a string");
        this.#offset--;
      } else if (Number.isNaN(code)) this.#fail("unterminated string", start);
      else if (code === NEWLINE)
        this.#fail("unterminated string, or a line break in it", start);
      else if (code < SPACE) this.#fail("unescaped control character");
    }
    this.#offset++;
    const found = this.#text.slice(start, this.#offset);
    return found.includes("\\")
      ? (JSON.parse(found) as string)
      : found.slice(1, -1);
  }

  #number(): number | bigint | undefined {
    const [text, fraction, exponent] = this.#match(NUMBER) ?? [];
    if (text === undefined) return undefined;
    const number = Number(text);
    const isInteger = fraction === undefined && exponent === undefined;
    return isInteger && !Number.isSafeInteger(number) ? BigInt(text) : number;
  }

  #take(word: string): boolean {
    const found = this.#text.startsWith(word, this.#offset);
    if (found) this.#offset += word.length;
    return found;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#offset;
    const found = pattern.exec(this.#text);
    if (found) this.#offset = pattern.lastIndex;
    return found;
  }

  #expected(what = "a value"): string {
    const character = this.#text.charAt(this.#offset);
    return `expected ${what}, got ${character === "" ? "the end of the text" : character}`;
  }

  #fail(message: string, offset = this.#offset): never {
    throw malformed(this.#text, offset, message);
  }
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
