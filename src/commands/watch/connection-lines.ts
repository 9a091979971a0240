import { fromBytes } from "../../cli/escape.js";
import type { Display } from "../../cli/output.js";
import { counted } from "../../cli/units.js";
import { ByteBuilder } from "../../text/text-builder.js";
import { ConnectionTable } from "../connections/connection-table.js";
import type { ConnectionSummary } from "./connection-summary.js";
import { fitLine } from "./frame.js";
import { labeled } from "./labeled-line.js";
import type { Row } from "./rows.js";

/** What is known of the connections: still being read, a summary, or why they cannot be read. */
export type KnownConnections =
  ConnectionSummary | { readonly fault: string } | undefined;

/** The connections of a row: their states, the busiest clients and the first ones. */
export function connectionLines(
  { service }: Row,
  known: KnownConnections,
  display: Display,
): string[] {
  if (!known)
    return [labeled("Table", [{ text: "reading", style: "dim" }], display)];
  if ("fault" in known)
    return [labeled("Table", [{ text: known.fault, style: "bad" }], display)];
  const { connections, templates, states, clients, first } = known;
  const byState = states.map(
    ({ word, connections }) => `${connections} ${word}`,
  );
  return [
    labeled(
      "Table",
      [
        counted(connections, "connection"),
        counted(templates, "template"),
        ...byState,
      ],
      display,
    ),
    ...("firewallMark" in service.entry.key
      ? [
          labeled(
            "",
            [
              {
                text: "the kernel does not report their marks: connections of other services to these servers are included",
                style: "dim",
              },
            ],
            display,
          ),
        ]
      : []),
    ...(clients.length === 0
      ? []
      : [
          labeled(
            "Clients",
            clients.map(({ word, connections }) => `${word} (${connections})`),
            display,
          ),
        ]),
    ...(first.length === 0 ? [] : ["", ...listLines(known, display)]),
  ];
}

/** The first connections, as `ipvsadm connections` lists them. */
function listLines(
  { first, connections, templates }: ConnectionSummary,
  display: Display,
): string[] {
  const out = new ByteBuilder();
  new ConnectionTable(out, display).add(first, undefined);
  const lines = fromBytes(out.take()).trimEnd().split("\n");
  const all = connections + templates;
  return all > first.length
    ? [
        ...lines,
        fitLine(
          [
            {
              text: `the first ${first.length} of ${all}; 'ipvsadm connections' lists all`,
              style: "dim",
            },
          ],
          display,
        ),
      ]
    : lines;
}
