import { drawTable } from "../../cli/table.js";
import type { Display, Output } from "../../cli/output.js";
import {
  recordChunks,
  type Field,
  type RecordFormat,
} from "../../cli/records.js";
import { fromBytes } from "../../cli/escape.js";
import { counted } from "../../cli/units.js";
import type { Group } from "./query.js";
import type { TopCounter, TopRow } from "./top-counter.js";

type Counts = Pick<TopCounter, "total" | "different">;

/** Prints the groups with the most connections. */
export function showTop(
  by: Group,
  rows: readonly TopRow[],
  counts: Counts,
  format: string,
  wide: boolean,
  output: Output,
): void {
  switch (format) {
    case "json":
    case "ndjson":
    case "csv":
    case "yaml":
      output.write(topRecords(by, rows, counts, format));
      break;
    default:
      output.lines(
        topLines(by, rows, counts, {
          paint: output.paint,
          width: wide ? undefined : output.width,
        }),
      );
  }
  const missed = Math.max(
    0,
    ...rows.map((row) => row.atMost - row.connections),
  );
  if (counts.different === undefined)
    output.warn(
      `too many different ${by}s to count all: each number may be up to ${missed} too low`,
      "use filters to get exact numbers",
    );
}

/** The groups as a table, with the totals. */
export function topLines(
  by: Group,
  rows: readonly TopRow[],
  { total, different }: Counts,
  display: Display,
): string[] {
  const columns = [
    { title: by.charAt(0).toUpperCase() + by.slice(1) },
    { title: "Connections", align: "right" },
    { title: "Share", align: "right", drop: 1 },
  ] as const;
  const cells = rows.map(({ word, name, connections, share }) => [
    name ?? word,
    String(connections),
    `${(share * 100).toFixed(1)}%`,
  ]);
  const groups =
    different === undefined ? `very many ${by}s` : counted(different, by);
  const totals = `${counted(total, "connection")}, ${groups}`;
  return [...drawTable(columns, cells, display), display.paint.dim(totals)];
}

/** The fields of the parts of each group. */
const PARTS: Readonly<Record<Group, readonly string[]>> = {
  client: ["clientAddress"],
  service: [
    "protocol",
    "serviceAddress",
    "servicePort",
    "family",
    "firewallMark",
  ],
  server: ["serverAddress", "serverPort"],
  state: [],
};

/** The groups for programs. */
export function topRecords(
  by: Group,
  rows: readonly TopRow[],
  { total, different }: Counts,
  format: RecordFormat,
): string {
  const fields: Field<TopRow>[] = [
    { name: by, value: ({ word }) => word },
    ...PARTS[by].map((part) => ({
      name: part,
      value: ({ parts }: TopRow) => parts[part],
    })),
    ...(rows.some(({ name }) => name !== undefined)
      ? [{ name: `${by}Name`, value: ({ name }: TopRow) => name }]
      : []),
    { name: "connections", value: ({ connections }) => connections },
    { name: "connectionsAtMost", value: ({ atMost }) => atMost },
    { name: "share", value: ({ share }) => Math.round(share * 1e6) / 1e6 },
  ];
  const header = {
    schema: "ipvsadm/connections-top/1",
    by,
    connections: total,
    different: different ?? null,
  };
  const chunks = recordChunks(format, fields, header, "top", rows);
  return fromBytes([...chunks].join(""));
}
