import { nearest } from "../text/nearest.js";
import type { EnumNames } from "./enum-names.js";
import {
  positionsOf,
  type DocumentError,
  type Member,
  type Node,
  type ParsedDocument,
} from "./parsed-document.js";

/** An error before its line and column are known. */
interface ErrorAt extends Pick<DocumentError, "path" | "message" | "advice"> {
  readonly offset: number;
}

/** Collects the errors of a document while it is read. */
export class ErrorCollector {
  readonly #document: ParsedDocument;
  readonly #errors: ErrorAt[] = [];

  constructor(document: ParsedDocument) {
    this.#document = document;
  }

  /** The document's root value. */
  get root(): DocumentValue {
    const { root } = this.#document;
    return new DocumentValue(root, root.offset, "", this);
  }

  add(error: ErrorAt): void {
    this.#errors.push(error);
  }

  /** Discards all errors so far, and reports only this one. */
  replaceAll(error: ErrorAt): void {
    this.#errors.splice(0, this.#errors.length, error);
  }

  /** How many errors were found so far. */
  get count(): number {
    return this.#errors.length;
  }

  /** All errors, in the order of the text. */
  get errors(): DocumentError[] {
    const sorted = this.#errors.toSorted((a, b) => a.offset - b.offset);
    const positions = positionsOf(
      this.#document.text,
      sorted.map(({ offset }) => offset),
    );
    return sorted.map(({ path, message, advice }, i) => ({
      path,
      message,
      ...(advice !== undefined && { advice }),
      line: 1,
      column: 1,
      ...positions[i],
    }));
  }
}

/** The object that a value is a field of. */
interface Parent {
  readonly path: string;
  readonly name: string;
}

/**
 * A value of a document, or a field that is missing.
 *
 * The methods that read it report a value of the wrong type as an error and return a harmless one, so that the rest of
 * the document can be checked, too.
 */
export class DocumentValue {
  readonly #node: Node | undefined;
  readonly #path: string;
  readonly #errors: ErrorCollector | undefined;
  readonly #parent: Parent | undefined;
  /** Where it starts; for a missing field, where its object starts */
  readonly offset: number;

  /** @param errors undefined to report none, because an error of the object was reported already */
  constructor(
    node: Node | undefined,
    offset: number,
    path: string,
    errors: ErrorCollector | undefined,
    parent?: Parent,
  ) {
    this.#node = node;
    this.offset = offset;
    this.#path = path;
    this.#errors = errors;
    this.#parent = parent;
  }

  /** Whether there is a value. null counts as missing. */
  get exists(): boolean {
    return this.#node !== undefined && this.#node.value !== null;
  }

  /** Its path in the document: `services[3].servers[0]` */
  get path(): string {
    return this.#path;
  }

  /** A field of a field …, or the innermost of them that exists. */
  descend(...names: readonly string[]): DocumentValue {
    const [name, ...inner] = names;
    const value = this.#node?.value;
    if (name === undefined || !(value instanceof Map)) return this;
    const node = (value as ReadonlyMap<string, Member>).get(name);
    return node ? this.#field(name, node).descend(...inner) : this;
  }

  /** Reports an error of the value. */
  error(message: string, advice?: string): void {
    this.#errors?.add({
      path: this.#path,
      message,
      ...(advice !== undefined && { advice }),
      offset: this.offset,
    });
  }

  /** Reports that the value is missing, or is not what was expected. */
  expected(what: string): void {
    if (this.exists || !this.#parent) {
      this.error(`expected ${what}, got ${shown(this.#node)}`);
      return;
    }
    const { path, name } = this.#parent;
    this.#errors?.add({
      path,
      message: `missing "${name}": expected ${what}`,
      offset: this.offset,
    });
  }

  /**
   * The fields of an object. Unknown fields are errors.
   *
   * @param names the fields that can be set
   * @param ignored fields that cannot be set, such as counters
   */
  fields<Name extends string>(
    names: readonly Name[],
    ignored: readonly string[] = [],
  ): Readonly<Record<Name, DocumentValue>> {
    const value = this.#node?.value;
    const isObject = value instanceof Map;
    const members = isObject
      ? (value as ReadonlyMap<string, Member>)
      : new Map<string, Member>();
    if (!isObject) this.expected("an object");
    for (const [name, { nameOffset }] of members)
      if (
        !(names as readonly string[]).includes(name) &&
        !ignored.includes(name)
      )
        this.#errors?.add({
          path: this.#path,
          message: `unknown field "${name}"`,
          advice: adviceFor(name, names),
          offset: nameOffset,
        });
    const entries = names.map((name) => [
      name,
      this.#field(name, members.get(name), isObject),
    ]);
    return Object.fromEntries(entries) as Record<Name, DocumentValue>;
  }

  /** @param reportErrors false if this is not an object, so that errors of its fields make no sense */
  #field(
    name: string,
    node: Member | undefined,
    reportErrors = true,
  ): DocumentValue {
    const missing = node?.value === null ? node.nameOffset : this.offset;
    return new DocumentValue(
      node,
      node && node.value !== null ? node.offset : missing,
      this.#path === "" ? name : `${this.#path}.${name}`,
      reportErrors ? this.#errors : undefined,
      { path: this.#path, name },
    );
  }

  /** The items of a list; none if there is no list. */
  items(): DocumentValue[] {
    if (!this.exists) return [];
    const value = this.#node?.value;
    if (Array.isArray(value))
      return (value as readonly Node[]).map(
        (node, i) =>
          new DocumentValue(
            node,
            node.offset,
            `${this.#path}[${i}]`,
            this.#errors,
          ),
      );
    this.expected("a list");
    return [];
  }

  /** An integer. @param defaultValue for a missing value; without it, the value is required */
  integer(minimum: number, maximum: number, defaultValue?: number): number {
    if (!this.exists && defaultValue !== undefined) return defaultValue;
    const value = this.#node?.value;
    if (
      typeof value === "number" &&
      Number.isInteger(value) &&
      value >= minimum &&
      value <= maximum
    )
      return value;
    this.expected(`an integer from ${minimum} to ${maximum}`);
    return minimum;
  }

  boolean(defaultValue: boolean): boolean {
    if (!this.exists) return defaultValue;
    const value = this.#node?.value;
    if (typeof value === "boolean") return value;
    this.expected("true or false");
    return defaultValue;
  }

  /** A name without blanks and control characters, one character per byte; undefined if it is missing. */
  name(maximumBytes: number): string | undefined {
    if (!this.exists) return undefined;
    const value = this.#node?.value;
    if (
      typeof value === "string" &&
      !/[\p{Cc}\p{Z}]/u.test(value) &&
      value !== "" &&
      Buffer.byteLength(value) <= maximumBytes
    )
      return Buffer.from(value).toString("latin1");
    this.expected(`a name without blanks, of at most ${maximumBytes} bytes`);
    return undefined;
  }

  /** Parses a string. @param parse returns undefined if it is invalid */
  parse<T>(
    expected: string,
    parse: (text: string) => T | undefined,
  ): T | undefined {
    const value = this.#node?.value;
    const found = typeof value === "string" ? parse(value) : undefined;
    if (found === undefined) this.expected(expected);
    return found;
  }

  /** The number that a name stands for. @param defaultValue for a missing value; without it, the value is required */
  enumValue<N extends number>(
    names: EnumNames<N>,
    defaultValue?: N,
  ): N | undefined {
    if (!this.exists && defaultValue !== undefined) return defaultValue;
    return this.parse(`one of ${names.all.join(", ")}`, (text) =>
      names.number(text),
    );
  }

  /** The same; a plain number is accepted, too. */
  enumValueOrNumber(
    names: EnumNames,
    maximum: number,
    defaultValue?: number,
  ): number {
    return typeof this.#node?.value === "number"
      ? this.integer(0, maximum)
      : (this.enumValue(names, defaultValue) ?? 0);
  }
}

function adviceFor(name: string, names: readonly string[]): string {
  const meant = nearest(name, names);
  return meant === undefined
    ? `known fields: ${names.join(", ")}`
    : `did you mean ${meant}?`;
}

const LONGEST_SHOWN = 40;

function shown(node: Node | undefined): string {
  const value = node?.value;
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  const text =
    typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > LONGEST_SHOWN
    ? `${text.slice(0, LONGEST_SHOWN)}...`
    : text;
}
