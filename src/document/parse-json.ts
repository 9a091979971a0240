import {
  malformed,
  type Node,
  type Scalar,
  type Tree,
} from "./parsed-document.js";

/*
 * JSON.parse tells neither where a value stands nor that a member came twice, and rounds integers beyond 2^53. So
 * JSON is read here.
 */

/** What is nested deeper is none of our documents. */
const DEEPEST = 64;

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
// eslint-disable-next-line no-control-regex -- these must be escaped in a string
const STRING = /"(?:[^"\\\0-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const BLANKS = /[ \t\n\r]*/y;
const LITERALS: readonly (readonly [string, Scalar])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
];

/**
 * Reads a text as JSON.
 *
 * @throws {MalformedDocument} with the first place that is not JSON, or a member that comes twice
 * @see RFC 8259
 */
export function parseJson(text: string): Tree {
  return { text, root: new Parser(text).document() };
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Node {
    if (this.#text.startsWith("\ufeff")) this.#at = 1; // a byte order mark
    const root = this.#value(0);
    if (this.#at < this.#text.length)
      this.#fail("there is more behind the end of the document");
    return root;
  }

  /** The value at this place, and the blanks around it. */
  #value(depth: number): Node {
    this.#match(BLANKS);
    const at = this.#at;
    if (depth > DEEPEST) this.#fail("this is nested too deeply");
    const value = this.#bare(depth);
    this.#match(BLANKS);
    return { at, value };
  }

  #bare(depth: number): Node["value"] {
    if (this.#take("{")) return this.#members(depth);
    if (this.#take("[")) return this.#items(depth);
    for (const [word, value] of LITERALS) if (this.#take(word)) return value;
    return this.#string() ?? this.#number() ?? this.#fail(this.#unexpected());
  }

  #members(depth: number): ReadonlyMap<string, Node> {
    const members = new Map<string, Node>();
    this.#match(BLANKS);
    if (this.#take("}")) return members;
    do {
      this.#match(BLANKS);
      const at = this.#at;
      const name =
        this.#string() ?? this.#fail(this.#unexpected("a member's name"));
      if (members.has(name)) this.#fail(`"${name}" comes twice`, at);
      this.#match(BLANKS);
      if (!this.#take(":")) this.#fail(this.#unexpected("a colon"));
      members.set(name, this.#value(depth + 1));
    } while (this.#take(","));
    if (!this.#take("}")) this.#fail(this.#unexpected("a comma or }"));
    return members;
  }

  #items(depth: number): readonly Node[] {
    const items: Node[] = [];
    this.#match(BLANKS);
    if (this.#take("]")) return items;
    do items.push(this.#value(depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) this.#fail(this.#unexpected("a comma or ]"));
    return items;
  }

  #string(): string | undefined {
    const found = this.#match(STRING)?.[0];
    if (found === undefined) return undefined;
    return found.includes("\\")
      ? (JSON.parse(found) as string)
      : found.slice(1, -1);
  }

  #number(): number | bigint | undefined {
    const [text, fraction, exponent] = this.#match(NUMBER) ?? [];
    if (text === undefined) return undefined;
    const number = Number(text);
    const whole = fraction === undefined && exponent === undefined;
    return whole && !Number.isSafeInteger(number) ? BigInt(text) : number;
  }

  #take(word: string): boolean {
    const found = this.#text.startsWith(word, this.#at);
    if (found) this.#at += word.length;
    return found;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }

  #unexpected(wanted = "a value"): string {
    const character = this.#text.charAt(this.#at);
    if (character === "") return `the text ends where ${wanted} is wanted`;
    return character === '"'
      ? "a string that does not end, or has an escape that there is not"
      : `${character} where ${wanted} is wanted`;
  }

  #fail(fault: string, at = this.#at): never {
    throw malformed(this.#text, at, fault);
  }
}
