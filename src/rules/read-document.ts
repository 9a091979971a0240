import {
  readTableWithErrors,
  type TableReading,
  type Rule,
} from "../document/read-table.js";
import { parseJson } from "../document/parse-json.js";
import {
  MalformedDocument,
  type Fault,
  type Tree,
} from "../document/parsed-document.js";
import type { Cursor } from "../document/document-value.js";
import type { Part, Place, RuleFinding, RuleFile } from "./rule-file.js";
import { Lines } from "./text-lines.js";
import { byPlace } from "./finding-positions.js";
import { tableRefusals } from "./table-errors.js";

/** Where a document has the parts of a rule. */
const MEMBERS: Readonly<Record<Part, readonly string[]>> = {
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

/** Reads a document of the schema of tables. */
export async function readDocument(
  name: string,
  format: "json" | "yaml",
  text: string,
): Promise<RuleFile> {
  const lines = new Lines(text);
  const { examined, faults: malformations } = await examine(format, text);
  const cursorOf = (rule: Rule, part?: Part): Cursor | undefined =>
    examined.places.get(rule)?.within(...(part ? MEMBERS[part] : []));
  const file = {
    name,
    format,
    table: examined.table,
    remarks: remarksOn(examined, lines),
    invalid: examined.invalid,
    incomplete: new Set(
      examined.table.services.filter(({ servers }) =>
        servers.some((server) => examined.invalid.has(server)),
      ),
    ),
    placeOf: (rule: Rule, part?: Part): Place | undefined => {
      const cursor = cursorOf(rule, part);
      return cursor && lines.place(cursor.at);
    },
    pathOf: (rule: Rule, part?: Part) => cursorOf(rule, part)?.path,
    line: (number: number) => lines.line(number),
  };
  const faults = [...malformations, ...examined.faults].map(
    ({ path, fault, line, column }): RuleFinding => ({
      place: { line, column },
      id: "form",
      fault,
      ...(path !== "" && { path }),
    }),
  );
  return { ...file, faults: [...faults, ...tableRefusals(file)].sort(byPlace) };
}

/** What a document says of itself that matters to those who carry it out. */
function remarksOn({ partial }: TableReading, lines: Lines): RuleFinding[] {
  if (!partial) return [];
  return [
    {
      place: lines.place(partial.at),
      id: "partial",
      fault:
        "this is a part of a table, as a filtered listing is: 'ipvsadm restore' does not take it",
      advice:
        "'ipvsadm apply --no-prune' does; leave this out if nothing else is to be there",
      path: partial.path,
    },
  ];
}

async function examine(
  format: "json" | "yaml",
  text: string,
): Promise<{ examined: TableReading; faults: readonly Fault[] }> {
  try {
    return {
      examined: readTableWithErrors(await parsed(format, text)),
      faults: [],
    };
  } catch (error) {
    if (!(error instanceof MalformedDocument)) throw error;
    return { examined: NOTHING, faults: error.faults };
  }
}

const NOTHING: TableReading = {
  table: { services: [] },
  places: new Map(),
  faults: [],
  invalid: new Set(),
};

async function parsed(format: "json" | "yaml", text: string): Promise<Tree> {
  if (format === "json") return parseJson(text);
  const { parseYaml } = await import("../document/parse-yaml.js");
  return parseYaml(text);
}
