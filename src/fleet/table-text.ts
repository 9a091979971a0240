import { jsonText } from "../document/json-text.js";
import { parseJson } from "../document/parse-json.js";
import { readTable } from "../document/read-table.js";
import { tableMembers } from "../document/write-table.js";
import { HASHED } from "../ipvs/model.js";
import type { Table } from "../ipvs/table.js";
import { NO_TRAFFIC } from "../ipvs/totals.js";
import type { CurrentState } from "../plan/current-state.js";
import { readRules } from "../rules/read-rules.js";
import type { RuleFile } from "../rules/rule-file.js";

/** A table as the text of a document, one character per byte. Equal tables give equal texts. */
export function textOfTable(table: Table): string {
  const text = `${jsonText(tableMembers(table), 0)}\n`;
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Reads such a text. @throws {MalformedDocument} */
export function tableOfText(text: string): Table {
  return readTable(parseJson(Buffer.from(text, "latin1").toString("utf8")))
    .table;
}

/** Reads such a text with the checks of 'ipvsadm check'. Documents have no host names, so nothing is looked up. */
export function checkedTable(name: string, text: string): Promise<RuleFile> {
  return readRules(`${name}.json`, text, {
    hostAddress: () => Promise.resolve(undefined),
    servicePort: () => undefined,
  });
}

/** A table as a kernel would report it, to compare it with another table. */
export function asCurrentState({
  services,
  timeouts,
  daemons,
}: Table): CurrentState {
  return {
    services: services.map(({ key, settings, servers }) => ({
      key,
      settings: { ...settings, flags: settings.flags | HASHED },
      stats: NO_TRAFFIC,
      servers: servers.map((server) => ({
        ...server,
        activeConnections: 0,
        inactiveConnections: 0,
        persistentConnections: 0,
        stats: NO_TRAFFIC,
      })),
    })),
    ...(timeouts && { timeouts }),
    ...(daemons && { daemons }),
  };
}
