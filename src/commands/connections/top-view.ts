import { ByteBuilder } from "../../text/text-builder.js";
import { drawTable } from "../../cli/table.js";
import type { Output } from "../../cli/output.js";
import {
  RecordWriter,
  type Field,
  type RecordFormat,
} from "../../cli/records.js";
import { fromBytes } from "../../cli/escape.js";
import type { Group } from "./query.js";
import type { TopCounter, TopRow } from "./top-counter.js";

/** Shows what has most connections. */
export function showTop(
  by: Group,
  rows: readonly TopRow[],
  counter: Pick<TopCounter, "total" | "different">,
  format: string,
  wide: boolean,
  output: Output,
): void {
  switch (format) {
    case "json":
    case "ndjson":
    case "csv":
    case "yaml":
      output.write(topRecords(by, rows, counter, format));
      break;
    default:
      output.lines(
        topLines(by, rows, counter, {
          paint: output.paint,
          width: wide ? undefined : output.width,
        }),
      );
  }
  const missed = Math.max(
    0,
    ...rows.map((row) => row.atMost - row.connections),
  );
  if (counter.different === undefined)
    output.warn(
      `there are very many ${by}s: those that have few connections were not all counted, and a number shown may be up to ${missed} too small`,
      "filter to have exact numbers",
    );
}

/** The table and its totals. */
export function topLines(
  by: Group,
  rows: readonly TopRow[],
  { total, different }: Pick<TopCounter, "total" | "different">,
  looks: Pick<Output, "paint" | "width">,
): string[] {
  const columns = [
    { title: by.charAt(0).toUpperCase() + by.slice(1) },
    { title: "Connections", align: "right" },
    { title: "Share", align: "right", drop: 1 },
  ] as const;
  const cells = rows.map(({ name, connections, share }) => [
    name,
    String(connections),
    `${(share * 100).toFixed(1)}%`,
  ]);
  const kinds = different === 1 ? by : `${by}s`;
  const totals = `${total} ${total === 1 ? "connection" : "connections"}, ${different ?? "very many"} ${kinds}`;
  return [...drawTable(columns, cells, looks), looks.paint.dim(totals)];
}

/** The same for programs. */
export function topRecords(
  by: Group,
  rows: readonly TopRow[],
  { total, different }: Pick<TopCounter, "total" | "different">,
  format: RecordFormat,
): string {
  const fields: Field<TopRow>[] = [
    { key: by, text: ({ name }) => name },
    { key: "connections", number: ({ connections }) => connections },
    { key: "connectionsAtMost", number: ({ atMost }) => atMost },
    { key: "share", number: ({ share }) => Math.round(share * 1e6) / 1e6 },
  ];
  const out = new ByteBuilder();
  const writer = new RecordWriter(format, out, fields);
  writer.begin(
    {
      schema: "ipvsadm/connections-top/1",
      by,
      connections: total,
      different: different ?? null,
    },
    "top",
  );
  for (const row of rows) writer.add(row);
  writer.end();
  return fromBytes(out.take());
}
