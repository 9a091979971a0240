import { jsonText, type Json } from "../../document/json-text.js";
import { yamlText } from "../../document/yaml-text.js";
import { SERVICE_SCHEMA, TABLE_SCHEMA } from "../../document/schema.js";
import {
  serviceMembers,
  type DocumentNames,
} from "../../document/write-table.js";
import type { Totals } from "../../ipvs/totals.js";
import type { ListedService } from "./rows.js";

/* Documents are written in chunks: a whole document may be longer than a string can be. */

/** A listing to be written as a document. */
export interface Listing {
  readonly services: readonly ListedService[];
  readonly totals: Totals;
  /** Filters are set, so services or servers may be missing */
  readonly partial: boolean;
}

function membersOf({ service, servers }: ListedService, names?: DocumentNames) {
  return serviceMembers(service, names, servers);
}

/** The listing as one JSON document. */
export function* jsonChunks(
  { services, totals, partial }: Listing,
  names: DocumentNames | undefined,
): Generator<string> {
  const indented = (value: Json, indent: string) =>
    jsonText(value).replaceAll("\n", `\n${indent}`);
  yield `{\n  "schema": ${jsonText(TABLE_SCHEMA)},\n`;
  if (partial) yield '  "partial": true,\n';
  yield '  "services": [';
  for (const [i, one] of services.entries()) {
    const comma = i === 0 ? "" : ",";
    yield `${comma}\n    ${indented(membersOf(one, names), "    ")}`;
  }
  yield services.length === 0 ? "],\n" : "\n  ],\n";
  yield `  "totals": ${indented({ ...totals }, "  ")}\n}\n`;
}

/** One JSON document per service, each on one line. */
export function* ndjsonLines(
  services: readonly ListedService[],
  names: DocumentNames | undefined,
): Generator<string> {
  for (const one of services)
    yield jsonText({ schema: SERVICE_SCHEMA, ...membersOf(one, names) }, 0);
}

/** The document of `jsonChunks` in YAML. */
export function* yamlChunks(
  { services, totals, partial }: Listing,
  names: DocumentNames | undefined,
): Generator<string> {
  yield yamlText({ schema: TABLE_SCHEMA, ...(partial && { partial }) });
  if (services.length === 0) yield yamlText({ services: [] });
  else yield "services:\n";
  for (const one of services) yield yamlText([membersOf(one, names)]);
  yield yamlText({ totals: { ...totals } });
}
