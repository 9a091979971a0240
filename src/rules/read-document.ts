import {
  NO_TABLE,
  readTableWithErrors,
  type Rule,
  type TableReading,
} from "../document/read-table.js";
import { parseJson } from "../document/parse-json.js";
import {
  MalformedDocument,
  type ParsedDocument,
} from "../document/parsed-document.js";
import type { DocumentValue } from "../document/document-value.js";
import { byPosition } from "./finding-positions.js";
import type { Part, Position, RuleFinding, RuleFile } from "./rule-file.js";
import { tableErrors } from "./table-errors.js";
import { TextLines } from "./text-lines.js";

/** The fields for the parts of a rule. */
const FIELDS: Readonly<Record<Part, readonly string[]>> = {
  service: [],
  address: ["address"],
  port: ["port"],
  scheduler: ["scheduler"],
  flags: ["schedulerFlags"],
  timeout: ["persistence", "timeoutSeconds"],
  netmask: ["persistence", "netmask"],
  engine: ["persistence", "engine"],
  onePacket: ["onePacket"],
  forwarding: ["forwarding"],
  weight: ["weight"],
  tunnel: ["tunnel"],
  tunnelPort: ["tunnel", "port"],
  upperThreshold: ["upperThreshold"],
  lowerThreshold: ["lowerThreshold"],
  group: ["group"],
};

/** Reads a table in JSON or YAML. */
export async function readDocument(
  name: string,
  format: "json" | "yaml",
  text: string,
): Promise<RuleFile> {
  const lines = new TextLines(text);
  const reading = await readText(format, text);
  const { table, invalid } = reading;
  const valueOf = (rule: Rule, part?: Part): DocumentValue | undefined =>
    reading.values.get(rule)?.descend(...(part ? FIELDS[part] : []));
  const file = {
    name,
    format,
    table,
    textWarnings: warningsOn(reading, lines),
    invalid,
    incomplete: new Set(
      table.services.filter(({ servers }) =>
        servers.some((server) => invalid.has(server)),
      ),
    ),
    positionOf: (rule: Rule, part?: Part): Position | undefined => {
      const value = valueOf(rule, part);
      return value && lines.position(value.offset);
    },
    pathOf: (rule: Rule, part?: Part) => valueOf(rule, part)?.path,
    line: (number: number) => lines.line(number),
  };
  const errors = reading.errors.map(
    ({ path, line, column, ...rest }): RuleFinding => ({
      position: { line, column },
      id: "form",
      ...rest,
      ...(path !== "" && { path }),
    }),
  );
  return {
    ...file,
    errors: [...errors, ...tableErrors(file)].sort(byPosition),
  };
}

/** Warns of a document that is marked as incomplete. */
function warningsOn(
  { partial }: TableReading,
  lines: TextLines,
): RuleFinding[] {
  if (!partial) return [];
  return [
    {
      position: lines.position(partial.offset),
      id: "partial",
      message:
        "this is a filtered listing: 'ipvsadm restore' refuses it, because it would remove what the filter left out",
      advice:
        "use 'ipvsadm apply --no-prune', or remove this field if the table is complete",
      path: partial.path,
    },
  ];
}

async function readText(
  format: "json" | "yaml",
  text: string,
): Promise<TableReading> {
  try {
    return readTableWithErrors(await parse(format, text));
  } catch (error) {
    if (!(error instanceof MalformedDocument)) throw error;
    return { ...NO_TABLE, errors: error.errors };
  }
}

async function parse(
  format: "json" | "yaml",
  text: string,
): Promise<ParsedDocument> {
  if (format === "json") return parseJson(text);
  const { parseYaml } = await import("../document/parse-yaml.js");
  return parseYaml(text);
}
