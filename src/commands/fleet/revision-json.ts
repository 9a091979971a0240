import type { Members } from "../../document/write-table.js";
import type { Revision } from "../../fleet/revision.js";

/** A revision as fields of JSON. */
export function revisionJson(one: Revision): Members {
  return {
    table: one.table,
    revision: one.revision,
    author: one.author,
    message: one.message,
    at: one.at,
    sha256: one.sha256,
    bytes: one.bytes,
    services: one.services,
    servers: one.servers,
    force: one.force ? true : undefined,
    allowEmpty: one.allowEmpty ? true : undefined,
    copyOf: one.copyOf,
  };
}
