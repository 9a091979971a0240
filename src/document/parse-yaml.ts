import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Parser,
  type Node as YamlNode,
  type YAMLParseError,
} from "yaml";
import {
  MalformedDocument,
  malformed,
  placesOf,
  type Node,
  type Scalar,
  type Tree,
} from "./parsed-document.js";

/** What is nested deeper is none of our documents. */
const DEEPEST = 64;
const TOO_DEEP = "this is nested too deeply";

/**
 * Reads a text as YAML 1.2: one document. Anchors and aliases may be used, tags of one's own may not.
 *
 * @throws {MalformedDocument} with all that is not YAML, or a key that comes twice or is no string
 */
export function parseYaml(text: string): Tree {
  const [document, second] = documentsOf(text);
  if (!document) throw malformed(text, 0, "the document is empty");
  if (document.errors.length > 0) throw allMalformed(text, document.errors);
  if (second)
    throw malformed(
      text,
      second.range[0],
      "there is a second document, where one is wanted",
    );
  return { text, root: new Converter(text, document).node(document.contents) };
}

function documentsOf(text: string): Document.Parsed[] {
  const composer = new Composer({ intAsBigInt: true, prettyErrors: false });
  return [...composer.compose(shallow(text, new Parser().parse(text)))];
}

/**
 * Tokens as they come, none of them nested too deeply: the package makes documents of them by calls within calls, and
 * where its stack ends, Node.js may end the process.
 */
function* shallow(
  text: string,
  tokens: Iterable<CST.Token>,
): Generator<CST.Token> {
  for (const token of tokens) {
    let level: (CST.Token | null | undefined)[] = [token];
    for (let depth = 0; level.length > 0; depth++) {
      level = level.flatMap(within);
      if (depth > DEEPEST + 1)
        throw malformed(text, level[0]?.offset ?? token.offset, TOO_DEEP);
    }
    yield token;
  }
}

/** What is right in a token. */
function within(
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
  const found = errors.toSorted((a, b) => a.pos[0] - b.pos[0]);
  const places = placesOf(
    text,
    found.map(({ pos }) => pos[0]),
  );
  return new MalformedDocument(
    found.map(({ message }, i) => ({
      path: "",
      fault: firstLine(message),
      line: 1,
      column: 1,
      ...places[i],
    })),
  );
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? "";
}

/** Makes our nodes of the package's. */
class Converter {
  readonly #text: string;
  readonly #document: Document.Parsed;
  /** What aliases stand for is converted once, however often they come */
  readonly #converted = new Map<YamlNode, Node>();

  constructor(text: string, document: Document.Parsed) {
    this.#text = text;
    this.#document = document;
  }

  node(node: unknown, depth = 0, parent = 0): Node {
    const yaml = node as YamlNode | null;
    const at = yaml?.range?.[0] ?? parent;
    if (depth > DEEPEST) throw malformed(this.#text, at, TOO_DEEP);
    if (!yaml) return { at, value: null };
    const known = this.#converted.get(yaml);
    if (known) return known;
    const converted = this.#convert(yaml, depth, at);
    this.#converted.set(yaml, converted);
    return converted;
  }

  #convert(yaml: YamlNode, depth: number, at: number): Node {
    if (isAlias(yaml)) {
      const target = yaml.resolve(this.#document);
      if (!target)
        throw malformed(this.#text, at, `*${yaml.source} stands for nothing`);
      return this.node(target, depth + 1, at);
    }
    if (isSeq(yaml))
      return {
        at,
        value: yaml.items.map((item) => this.node(item, depth + 1, at)),
      };
    if (isMap(yaml)) {
      const members = new Map<string, Node>();
      for (const { key, value } of yaml.items) {
        const name = isScalar(key) ? key.value : undefined;
        if (typeof name !== "string")
          throw malformed(this.#text, at, "a key that is no string");
        members.set(name, this.node(value, depth + 1, at));
      }
      return { at, value: members };
    }
    if (isScalar(yaml)) return { at, value: scalar(yaml.value) };
    throw malformed(this.#text, at, "this is nothing that a document can have");
  }
}

function scalar(value: unknown): Scalar {
  if (typeof value !== "bigint")
    return typeof value === "object" ? null : (value as Scalar);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
