import { SCHEMAS, type Schema } from "../document/schema.js";
import { code, page, prose, sentence, table } from "./page.js";

/* docs/reference/schemas.md: the fields of all documents, from the published schemas. */

/** What the page reads of a schema of JSON. */
interface Node {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node | false>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly required?: readonly string[];
}

type Definitions = Readonly<Record<string, Node>>;

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "number",
  boolean: "true or false",
  object: "object",
  array: "list",
  null: "`null`",
};

/** The definitions of all schemas. They are the same in each that has them. */
const DEFINITIONS: Definitions = Object.assign(
  {},
  ...SCHEMAS.map(({ $defs = {} }) => $defs),
) as Definitions;

function referred({ $ref = "" }: Node): [name: string, node: Node] {
  const name = $ref.replace("#/$defs/", "");
  return [name, DEFINITIONS[name] ?? {}];
}

/** Whether a definition has a section of its own. */
function hasSection({ properties }: Node): boolean {
  return properties !== undefined;
}

function typeText(node: Node): string {
  if (node.$ref !== undefined) {
    const [name, target] = referred(node);
    return hasSection(target)
      ? `[${name}](#${name.toLowerCase()})`
      : typeText(target);
  }
  if (node.const !== undefined) return code(node.const);
  if (node.enum) return node.enum.map(code).join(", ");
  if (node.anyOf) return node.anyOf.map(typeText).join(" or ");
  if (node.items) return `list: ${typeText(node.items)}`;
  const types = typeof node.type === "string" ? [node.type] : (node.type ?? []);
  return types
    .map((type) =>
      type === "integer" ? integerText(node) : (TYPES[type] ?? ""),
    )
    .join(" or ");
}

function integerText({ minimum, maximum }: Node): string {
  return maximum === undefined ? "integer" : `${minimum ?? 0} to ${maximum}`;
}

function meaning(node: Node): string {
  const { description, default: usual } = node;
  const text =
    description ??
    (node.$ref === undefined ? undefined : referred(node)[1].description);
  return [
    ...(text === undefined ? [] : [described(text)]),
    ...(usual === undefined
      ? []
      : [`Default: ${code(JSON.stringify(usual))}.`]),
  ].join(" ");
}

/** Parts of names in a record about several things. Their rows would repeat in each such record. */
const PARTS = new Set([
  "protocol",
  "serviceAddress",
  "servicePort",
  "family",
  "firewallMark",
  "serverAddress",
  "serverPort",
  "clientAddress",
  "clientPort",
]);

/** A description as a sentence. One that begins with a value, such as `busy: it has connections`, stays as it is. */
function described(text: string): string {
  const whole = text.replace(/\.$/, "");
  return prose(/^[a-z-]+: /.test(whole) ? `${whole}.` : sentence(whole));
}

/** A row for each field, and for the fields of nested objects without a section of their own. */
function rows(node: Node, prefix = ""): string[][] {
  const { properties = {} } = node;
  const hasParts = "serviceAddress" in properties;
  return Object.entries(properties).flatMap(([name, field]) => {
    if (field === false || (hasParts && PARTS.has(name))) return [];
    const inner = field.items ?? field.anyOf?.[0] ?? field;
    const path = `${prefix}${name}${field.items ? "[]" : ""}`;
    const own = [code(path), typeText(field), meaning(field)];
    return [own, ...(inner.properties ? rows(inner, `${path}.`) : [])];
  });
}

function fields(node: Node): string {
  return table(["field", "type", "meaning"], rows(node));
}

function documentSection(schema: Schema): string[] {
  const node = schema as Node;
  const { $id, file, description } = schema;
  const { $ref } = node;
  return [
    `## ${$id}`,
    `${sentence(description.replace(/\.$/, ""))} Schema: [${file}](../../${file}).`,
    $ref === undefined
      ? fields(node)
      : `The fields are those of ${typeText(node)}.`,
  ];
}

/** docs/reference/schemas.md */
export function schemaReference(): string {
  return page(
    "Fields of the documents",
    "[Output formats](output-formats.md) explains which subcommand prints which document, and how services and servers are named. Records about several things, such as a [change](#change), also have the parts of `service`, `server` and `client`, which this page does not repeat. Objects that several documents contain, such as [service](#service), follow at the end.",
    ...SCHEMAS.flatMap(documentSection),
    ...Object.entries(DEFINITIONS)
      .filter(([, node]) => hasSection(node))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, node]) => [
        `## ${name}`,
        ...(node.description === undefined
          ? []
          : [described(node.description)]),
        fields(node),
      ]),
  );
}
