import type { Words } from "./enum-names.js";
import { placesOf, type Fault, type Node, type Tree } from "./tree.js";

/** Gathers what is wrong with a document while it is read. */
export class Findings {
  readonly #tree: Tree;
  readonly #found: { path: string; fault: string; at: number }[] = [];

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** The document's own value. */
  get root(): Cursor {
    return new Cursor(this.#tree.root, this.#tree.root.at, "", this);
  }

  add(path: string, fault: string, at: number): void {
    this.#found.push({ path, fault, at });
  }

  /** How much was wrong so far. */
  get count(): number {
    return this.#found.length;
  }

  /** All that was wrong, in the order of the text. */
  get faults(): Fault[] {
    const found = this.#found.sort((a, b) => a.at - b.at);
    const places = placesOf(
      this.#tree.text,
      found.map(({ at }) => at),
    );
    return found.map(({ path, fault }, i) => ({
      path,
      fault,
      line: 1,
      column: 1,
      ...places[i],
    }));
  }
}

type Members = ReadonlyMap<string, Node>;

/**
 * A value of a document, or the place where there is none, to be read as what it should be. What is wrong is noted in
 * the findings, and something harmless is given, so that the rest is looked at as well.
 */
export class Cursor {
  readonly #node: Node | undefined;
  readonly #path: string;
  readonly #findings: Findings;
  /** Where it stands, or what should have it */
  readonly at: number;

  constructor(
    node: Node | undefined,
    at: number,
    path: string,
    findings: Findings,
  ) {
    this.#node = node;
    this.at = at;
    this.#path = path;
    this.#findings = findings;
  }

  /** Whether there is a value; in YAML and JSON null is as good as none. */
  get there(): boolean {
    return this.#node !== undefined && this.#node.value !== null;
  }

  /** Where it stands in the document: `services[3].servers[0]` */
  get path(): string {
    return this.#path;
  }

  /** A member within a member …, or the innermost of them that is there. */
  within(...names: readonly string[]): Cursor {
    const [name, ...inner] = names;
    const value = this.#node?.value;
    if (name === undefined || !(value instanceof Map)) return this;
    const node = (value as Members).get(name);
    return node
      ? new Cursor(node, node.at, this.#inner(name), this.#findings).within(
          ...inner,
        )
      : this;
  }

  /** ParseNotes that the value is wrong. */
  fault(fault: string): void {
    this.#findings.add(this.#path, fault, this.at);
  }

  #missing(wanted: string): void {
    this.fault(
      this.there
        ? `${wanted} is wanted, not ${shown(this.#node)}`
        : `it is missing: ${wanted} is wanted`,
    );
  }

  /**
   * The members of an object, of which those may be there that are named.
   *
   * @param told members that say how things were, which nobody can set: they are passed over
   */
  members<Name extends string>(
    names: readonly Name[],
    told: readonly string[] = [],
  ): Readonly<Record<Name, Cursor>> {
    const value = this.#node?.value;
    const members: Members =
      value instanceof Map ? value : new Map<string, Node>();
    if (value !== members) this.#missing("an object");
    for (const [name, node] of members)
      if (!(names as readonly string[]).includes(name) && !told.includes(name))
        this.#findings.add(
          this.#inner(name),
          `there is no such member; there are ${names.join(", ")}`,
          node.at,
        );
    const entries = names.map((name) => {
      const node = members.get(name);
      const at = node?.at ?? this.at;
      return [name, new Cursor(node, at, this.#inner(name), this.#findings)];
    });
    return Object.fromEntries(entries) as Record<Name, Cursor>;
  }

  #inner(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }

  /** The items of a list; none where there is no list. */
  items(): Cursor[] {
    if (!this.there) return [];
    const value = this.#node?.value;
    if (Array.isArray(value))
      return (value as readonly Node[]).map(
        (node, i) =>
          new Cursor(node, node.at, `${this.#path}[${i}]`, this.#findings),
      );
    this.#missing("a list");
    return [];
  }

  /** @param usual what counts where there is no value; without it there must be one */
  whole(minimum: number, maximum: number, usual?: number): number {
    if (!this.there && usual !== undefined) return usual;
    const value = this.#node?.value;
    if (
      typeof value === "number" &&
      Number.isInteger(value) &&
      value >= minimum &&
      value <= maximum
    )
      return value;
    this.#missing(`a whole number from ${minimum} to ${maximum}`);
    return minimum;
  }

  flag(usual: boolean): boolean {
    if (!this.there) return usual;
    const value = this.#node?.value;
    if (typeof value === "boolean") return value;
    this.#missing("true or false");
    return usual;
  }

  /** Text of at most so many bytes, without blanks and control characters; undefined where there is none. */
  text(longest: number): string | undefined {
    if (!this.there) return undefined;
    const value = this.#node?.value;
    if (
      typeof value === "string" &&
      !/[\p{Cc}\p{Z}]/u.test(value) &&
      value !== "" &&
      Buffer.byteLength(value) <= longest
    )
      return value;
    this.#missing(`text without blanks, of at most ${longest} bytes,`);
    return undefined;
  }

  /** What a text says. @param read gives undefined if it is none of its own */
  read<T>(
    wanted: string,
    read: (text: string) => T | undefined,
  ): T | undefined {
    const value = this.#node?.value;
    const found = typeof value === "string" ? read(value) : undefined;
    if (found === undefined) this.#missing(wanted);
    return found;
  }

  /** The number that a word stands for. @param usual what counts where there is no value; without it there must be one */
  word<N extends number>(words: Words<N>, usual?: N): N | undefined {
    if (!this.there && usual !== undefined) return usual;
    return this.read(`one of ${words.all.join(", ")}`, (text) =>
      words.number(text),
    );
  }

  /** The same, where a number may stand for itself. */
  wordOrNumber(words: Words, maximum: number, usual?: number): number {
    return typeof this.#node?.value === "number"
      ? this.whole(0, maximum)
      : (this.word(words, usual) ?? 0);
  }
}

const LONGEST_SHOWN = 40;

function shown(node: Node | undefined): string {
  const value = node?.value;
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const text =
    typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > LONGEST_SHOWN
    ? `${text.slice(0, LONGEST_SHOWN)}…`
    : text;
}
