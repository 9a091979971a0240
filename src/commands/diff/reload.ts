import { escapeControls } from "../../cli/escape.js";
import { formatSelector } from "../../grammar/selector.js";
import {
  formatEndpoint,
  type ServerKey,
  type ServiceKey,
} from "../../ipvs/model.js";
import type { Table } from "../../ipvs/table.js";
import type { RuleFile } from "../../rules/rule-file.js";
import { decodeUtf8 } from "../../text/utf8.js";
import { tableAsRules } from "../save/table-as-rules.js";
import { findKeepalived } from "./keepalived-process.js";

/** Whether the health checker has read the file as it is now. */
export interface Reload {
  readonly state: "loaded" | "missing" | "not-running" | "unknown";
  /** Sentences for the report */
  readonly lines: readonly string[];
  /** Whether it has read that a service has a server; undefined if that is unknown */
  readonly hasRead:
    ((service: ServiceKey, server: ServerKey) => boolean) | undefined;
}

/** @returns undefined if the file is not the configuration of keepalived, or standard input */
export async function findReload(
  file: RuleFile,
  procFolder: string,
): Promise<Reload | undefined> {
  if (file.format !== "keepalived" || file.name === "-") return undefined;
  const found = findKeepalived(procFolder, file.name);
  switch (found.kind) {
    case "stopped":
      return {
        state: "not-running",
        lines: [
          "keepalived does not run in this network namespace, so no check explains a difference.",
        ],
        hasRead: () => false,
      };
    case "other-file":
      return {
        state: "unknown",
        lines: [
          `keepalived (process ${found.pid}) reads ${escapeControls(found.file)}, not this file.`,
        ],
        hasRead: undefined,
      };
    case "started-later":
      return {
        state: "loaded",
        lines: [
          "keepalived has read this file: it started after the last change.",
        ],
        hasRead: () => true,
      };
    case "unknown":
      return {
        state: "unknown",
        lines: howToFindOut(found.pid),
        hasRead: undefined,
      };
    case "read": {
      const { readKeepalived } =
        await import("../../rules/keepalived/read-keepalived.js");
      const loaded = readKeepalived(file.name, decodeUtf8(found.text));
      return loaded.errors.length > 0
        ? {
            state: "unknown",
            lines: howToFindOut(found.pid),
            hasRead: undefined,
          }
        : compared(file.table, loaded.table);
    }
  }
}

function howToFindOut(pid: number | undefined): string[] {
  const process = pid === undefined ? "PID" : String(pid);
  return [
    `To find out: 'journalctl -u keepalived' shows reloads and failed checks; 'kill -USR1 ${process}' writes the servers that keepalived knows to /tmp/keepalived.data.`,
  ];
}

function compared(file: Table, loaded: Table): Reload {
  const isSame = textOf(file) === textOf(loaded);
  const servers = new Set(
    loaded.services.flatMap(({ key, servers }) =>
      servers.map((server) => nameOf(key, server.key)),
    ),
  );
  return {
    state: isSame ? "loaded" : "missing",
    lines: [
      isSame
        ? "keepalived has read the services of this file as they are now."
        : "keepalived has not read the services of this file as they are now: reload it (systemctl reload keepalived).",
    ],
    hasRead: (service, server) => servers.has(nameOf(service, server)),
  };
}

function textOf(table: Table): string {
  return Array.from(tableAsRules(table), ({ text }) => text).join("");
}

function nameOf(service: ServiceKey, { address, port }: ServerKey): string {
  return `${formatSelector(service)} ${formatEndpoint(address, port)}`;
}
