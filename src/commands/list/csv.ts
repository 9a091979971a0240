import type { Shown } from "./filter.js";
import { FIELDS, type Field } from "./fields.js";
import type { ColumnKey } from "./column-keys.js";
import type { Labels } from "./labels.js";
import { escapeControls } from "../../cli/escape.js";

/**
 * A listing as CSV: a line with the names of the fields, then one for each service and one for each of its servers.
 * Lines end in a line feed alone.
 *
 * @see RFC 4180
 */
export function* csvLines(
  shown: Iterable<Shown>,
  columns: readonly ColumnKey[],
  labels: Labels,
): Generator<string> {
  const fields: readonly Field[] = columns.flatMap((key) => FIELDS[key]);
  yield fields.map(({ name }) => name).join(",");
  for (const { service, servers } of shown) {
    yield csvLine(fields.map((field) => field.service(service, labels)));
    for (const server of servers)
      yield csvLine(
        fields.map((field) => field.server(server, service, labels)),
      );
  }
}

function csvLine(values: readonly ReturnType<Field["service"]>[]): string {
  return values
    .map((value) =>
      typeof value === "string" ? csvText(value) : (value ?? ""),
    )
    .join(",");
}

/**
 * Text for CSV, without control characters. What a spreadsheet would take for a formula gets an apostrophe in front:
 * names come from whoever runs the name servers.
 */
export function csvText(text: string): string {
  const shown = escapeControls(text);
  const safe = /^[=+\-@]/.test(shown) ? `'${shown}` : shown;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
