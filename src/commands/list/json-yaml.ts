import { jsonText, type Json } from "../../document/json-text.js";
import { yamlText } from "../../document/yaml-text.js";
import { SERVICE_SCHEMA, TABLE_SCHEMA } from "../../document/schema.js";
import {
  serviceMembers,
  type DocumentNames,
} from "../../document/write-table.js";
import type { Totals } from "../../ipvs/totals.js";
import type { Shown } from "./filter.js";

/** What is printed of a table as one document. */
export interface Listing {
  readonly shown: readonly Shown[];
  readonly totals: Totals;
  /** Something was asked for, so that services or servers may be missing */
  readonly partial: boolean;
}

/* A listing as documents, piece by piece, as it may be longer than a text can be. */

/** The members of a service with those of its servers that are shown. */
function membersOf({ service, servers }: Shown, names?: DocumentNames) {
  return serviceMembers({ ...service, servers }, names);
}

/** One JSON document. */
export function* jsonPieces(
  { shown, totals, partial }: Listing,
  names: DocumentNames | undefined,
): Generator<string> {
  const indented = (value: Json, by: string) =>
    jsonText(value).replaceAll("\n", `\n${by}`);
  yield `{\n  "schema": ${jsonText(TABLE_SCHEMA)},\n`;
  if (partial) yield '  "partial": true,\n';
  yield '  "services": [';
  for (const [i, one] of shown.entries()) {
    const comma = i === 0 ? "" : ",";
    yield `${comma}\n    ${indented(membersOf(one, names), "    ")}`;
  }
  yield shown.length === 0 ? "],\n" : "\n  ],\n";
  yield `  "totals": ${indented({ ...totals }, "  ")}\n}\n`;
}

/** A JSON document a line, each of one service. */
export function* ndjsonLines(
  shown: readonly Shown[],
  names: DocumentNames | undefined,
): Generator<string> {
  for (const one of shown)
    yield jsonText({ schema: SERVICE_SCHEMA, ...membersOf(one, names) }, 0);
}

/** The same document as `jsonPieces` in YAML. */
export function* yamlPieces(
  { shown, totals, partial }: Listing,
  names: DocumentNames | undefined,
): Generator<string> {
  yield yamlText({ schema: TABLE_SCHEMA, ...(partial && { partial }) });
  if (shown.length === 0) yield yamlText({ services: [] });
  else yield "services:\n";
  for (const one of shown) yield yamlText([membersOf(one, names)]);
  yield yamlText({ totals: { ...totals } });
}
