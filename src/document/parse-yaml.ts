import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Parser,
  type Alias,
  type Node as YamlNode,
  type YAMLMap,
  type YAMLParseError,
} from "yaml";
import {
  MalformedDocument,
  malformed,
  positionsOf,
  type Member,
  type Node,
  type ParsedDocument,
  type Scalar,
} from "./parsed-document.js";

/** Far more levels than a table has. */
const MAXIMUM_DEPTH = 64;
const TOO_DEEP = "nested too deeply";

/** How many values all aliases together may stand for. A few lines of aliases can stand for billions. */
const MAXIMUM_ALIASED_VALUES = 100_000;

/**
 * Parses YAML 1.2. There must be exactly one document. Anchors and aliases are supported, custom tags are not.
 *
 * @throws {MalformedDocument} with all syntax errors, or the first duplicate key, key that is not a string, or alias
 *   that cannot be resolved
 */
export function parseYaml(text: string): ParsedDocument {
  const [document, second] = /\S/.test(text) ? documentsOf(text) : [];
  if (!document) throw malformed(text, 0, "the document is empty");
  if (document.errors.length > 0) throw allMalformed(text, document.errors);
  if (second)
    throw malformed(
      text,
      second.range[0],
      "expected one document, got a second one",
    );
  return { text, root: new Converter(text).node(document.contents) };
}

function documentsOf(text: string): Document.Parsed[] {
  const composer = new Composer({ intAsBigInt: true, prettyErrors: false });
  return [...composer.compose(shallow(text, new Parser().parse(text)))];
}

/**
 * Passes tokens on, and fails if one is nested too deeply. The package composes documents recursively, and a stack
 * overflow may end the process.
 */
function* shallow(
  text: string,
  tokens: Iterable<CST.Token>,
): Generator<CST.Token> {
  for (const token of tokens) {
    let level: (CST.Token | null | undefined)[] = [token];
    for (let depth = 0; level.length > 0; depth++) {
      level = level.flatMap(childrenOf);
      if (depth > MAXIMUM_DEPTH + 1)
        throw malformed(text, level[0]?.offset ?? token.offset, TOO_DEEP);
    }
    yield token;
  }
}

function childrenOf(
  token: CST.Token | null | undefined,
): (CST.Token | null | undefined)[] {
  if (token?.type === "document") return [token.value];
  return token && "items" in token
    ? token.items.flatMap(({ key, value }) => [key, value])
    : [];
}

function allMalformed(
  text: string,
  errors: readonly Pick<YAMLParseError, "message" | "pos">[],
): MalformedDocument {
  const sorted = errors.toSorted((a, b) => a.pos[0] - b.pos[0]);
  const positions = positionsOf(
    text,
    sorted.map(({ pos }) => pos[0]),
  );
  return new MalformedDocument(
    sorted.map(({ message }, i) => ({
      path: "",
      message: firstLine(message),
      line: 1,
      column: 1,
      ...positions[i],
    })),
  );
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}

/** A converted node. */
interface Converted {
  readonly node: Node;
  /** The number of values in it, with those that aliases stand for */
  readonly values: number;
}

/** Converts the package's nodes to ours. */
class Converter {
  readonly #text: string;
  /** The node of each anchor so far; undefined while it is being converted */
  readonly #anchors = new Map<string, Converted | undefined>();
  #aliasedValues = 0;

  constructor(text: string) {
    this.#text = text;
  }

  node(contents: unknown): Node {
    return this.#convert(contents, 0, 0).node;
  }

  #convert(contents: unknown, depth: number, parentOffset: number): Converted {
    const yaml = contents as YamlNode | null;
    const offset = yaml?.range?.[0] ?? parentOffset;
    if (depth > MAXIMUM_DEPTH) throw malformed(this.#text, offset, TOO_DEEP);
    if (!yaml) return { node: { offset, value: null }, values: 1 };
    if (isAlias(yaml)) return this.#resolve(yaml, offset);
    const { anchor } = yaml;
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    const converted = this.#convertValue(yaml, depth, offset);
    if (anchor !== undefined) this.#anchors.set(anchor, converted);
    return converted;
  }

  /** The node of an alias is converted once, however many aliases there are. */
  #resolve({ source }: Alias, offset: number): Converted {
    const converted = this.#anchors.get(source);
    if (!converted)
      throw malformed(
        this.#text,
        offset,
        this.#anchors.has(source)
          ? `alias *${source} refers to itself`
          : `alias *${source} has no anchor`,
      );
    this.#aliasedValues += converted.values;
    if (this.#aliasedValues > MAXIMUM_ALIASED_VALUES)
      throw malformed(
        this.#text,
        offset,
        `too many aliases: they stand for more than ${MAXIMUM_ALIASED_VALUES} values`,
      );
    return converted;
  }

  #convertValue(yaml: YamlNode, depth: number, offset: number): Converted {
    if (isSeq(yaml)) {
      const items = yaml.items.map((item) =>
        this.#convert(item, depth + 1, offset),
      );
      return {
        node: { offset, value: items.map(({ node }) => node) },
        values: 1 + sumOfValues(items),
      };
    }
    if (isMap(yaml)) return this.#convertMap(yaml, depth, offset);
    if (isScalar(yaml))
      return { node: { offset, value: scalar(yaml.value) }, values: 1 };
    throw malformed(this.#text, offset, "unsupported value");
  }

  #convertMap({ items }: YAMLMap, depth: number, offset: number): Converted {
    const members = new Map<string, Member>();
    const converted: Converted[] = [];
    for (const { key, value } of items) {
      const name = isScalar(key) ? key.value : undefined;
      const nameOffset = (key as YamlNode | null)?.range?.[0] ?? offset;
      if (typeof name !== "string")
        throw malformed(this.#text, nameOffset, "expected a string as the key");
      const one = this.#convert(value, depth + 1, nameOffset);
      members.set(name, { ...one.node, nameOffset });
      converted.push(one);
    }
    return {
      node: { offset, value: members },
      values: 1 + sumOfValues(converted),
    };
  }
}

function sumOfValues(converted: readonly Converted[]): number {
  return converted.reduce((sum, { values }) => sum + values, 0);
}

function scalar(value: unknown): Scalar {
  if (typeof value !== "bigint")
    return typeof value === "object" ? null : (value as Scalar);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
