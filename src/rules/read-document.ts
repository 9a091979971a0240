import {
  examineTable,
  type ExaminedTable,
  type Rule,
} from "../document/read-table.js";
import { parseJson } from "../document/parse-json.js";
import { DocumentFaults, type Fault, type Tree } from "../document/tree.js";
import type { Cursor } from "../document/cursor.js";
import type { Part, Place, RuleFault, RuleFile } from "./file.js";
import { Lines } from "./lines.js";
import { byPlace } from "./place-findings.js";
import { tableRefusals } from "./table-refusals.js";

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
    unsound: examined.unsound,
    incomplete: new Set(
      examined.table.services.filter(({ servers }) =>
        servers.some((server) => examined.unsound.has(server)),
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
    ({ path, fault, line, column }): RuleFault => ({
      place: { line, column },
      id: "form",
      fault,
      ...(path !== "" && { path }),
    }),
  );
  return { ...file, faults: [...faults, ...tableRefusals(file)].sort(byPlace) };
}

/** What a document says of itself that matters to those who carry it out. */
function remarksOn({ partial }: ExaminedTable, lines: Lines): RuleFault[] {
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
): Promise<{ examined: ExaminedTable; faults: readonly Fault[] }> {
  try {
    return { examined: examineTable(await parsed(format, text)), faults: [] };
  } catch (error) {
    if (!(error instanceof DocumentFaults)) throw error;
    return { examined: NOTHING, faults: error.faults };
  }
}

const NOTHING: ExaminedTable = {
  table: { services: [] },
  places: new Map(),
  faults: [],
  unsound: new Set(),
};

async function parsed(format: "json" | "yaml", text: string): Promise<Tree> {
  if (format === "json") return parseJson(text);
  const { parseYaml } = await import("../document/parse-yaml.js");
  return parseYaml(text);
}
