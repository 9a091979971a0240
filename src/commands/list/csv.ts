import type { Json, Members } from "../../document/json-text.js";
import {
  serverMembers,
  serviceOwnMembers,
  type DocumentNames,
} from "../../document/write-table.js";
import { formatSelector } from "../../grammar/selector.js";
import type { Field, Value } from "../../cli/records.js";
import type { ListColumn } from "./columns.js";
import type { ListedService } from "./rows.js";

/* CSV has the fields of JSON: a line is a service or a real server, `kind` says which, and `service` names the service. */

/** The fields for some columns. @param names whether there is a field for names */
export function csvFields(
  columns: readonly ListColumn[],
  names: boolean,
): Field<Members>[] {
  return columns
    .flatMap(({ fields }) => fields)
    .flatMap((name) => (names && name === "server" ? [name, "name"] : [name]))
    .map((name) => {
      const path = name.split(".");
      return { name, value: (record) => valueAt(record, path) };
    });
}

/** A record for each service and each real server. */
export function* csvRecords(
  services: Iterable<ListedService>,
  names: DocumentNames | undefined,
): Generator<Members> {
  for (const { service, servers } of services) {
    yield { kind: "service", ...serviceOwnMembers(service, names) };
    for (const server of servers)
      yield {
        kind: "server",
        service: formatSelector(service.key),
        ...serverMembers(service.key, server, names),
      };
  }
}

/** The value of a field. The names of a list are separated by spaces. */
function valueAt(record: Members, path: readonly string[]): Value {
  let value: Json = record;
  for (const name of path) value = isObject(value) ? value[name] : undefined;
  if (Array.isArray(value)) return value.join(" ");
  return typeof value === "object" ? undefined : value;
}

function isObject(value: Json): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
