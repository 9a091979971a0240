import type { Connection } from "../../ipvs/connections.js";
import type { Io } from "../../runtime/io.js";
import { NameBook } from "../../runtime/name-book.js";
import { ByteBuilder } from "../../text/text-builder.js";
import { jsonText } from "../../document/json-text.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import type { Arguments } from "../../cli/parser.js";
import { readQuery, type Query } from "./query.js";
import { connectionPrinter } from "./connection-printer.js";
import { scan, type Totals } from "./scan.js";
import { TopCounter } from "./top-counter.js";
import { showTop } from "./top-view.js";

/** How many connections are collected before they are printed. The widths of the table come from the first chunk. */
const CHUNK_CONNECTIONS = 250;

export const run: RunSubcommand = async (call) => {
  const query = await readQuery(call.given, call.io.names);
  if (query.count) await showCount(query, call);
  else if (query.top) await countTop(query, query.top, call);
  else await showConnections(query, call);
  return EXIT.ok;
};

async function showConnections(
  query: Query,
  { given, io, output }: Invocation,
): Promise<void> {
  const out = new ByteBuilder();
  const book = nameBook(given, io);
  const printer = connectionPrinter(
    given.text("output") ?? "table",
    out,
    {
      paint: output.paint,
      width: given.flag("wide") ? undefined : output.width,
    },
    book?.name,
  );
  let remaining = query.limit;
  let chunk: Connection[] = [];
  const print = async () => {
    await book?.learn(
      chunk.flatMap(({ client, virtual, server }) => [client, virtual, server]),
    );
    printer.add(chunk);
    chunk = [];
    io.stdout(out.take()); // It is UTF-8 already.
  };
  printer.begin();
  const totals = await scan(query, io, {
    visit(line) {
      if (remaining === 0) return;
      const connection = line.connection();
      if (!connection) return;
      chunk.push(connection);
      remaining--;
    },
    async pause() {
      if (chunk.length >= CHUNK_CONNECTIONS) await print();
      return remaining === 0;
    },
  });
  await print();
  printer.end(totals, query, remaining === 0);
  io.stdout(out.take());
}

async function showCount(
  query: Query,
  { given, io, output }: Invocation,
): Promise<void> {
  const totals = await scan(query, io, {
    visit() {
      // Only the totals are needed.
    },
  });
  output.write(countText(given.text("output") ?? "table", totals, query));
}

function countText(
  format: string,
  { connections, templates }: Totals,
  query: Query,
): string {
  const selected = {
    without: connections,
    with: connections + templates,
    only: templates,
  };
  const both = { connections, templates };
  switch (format) {
    case "json":
      return `${jsonText({ schema: "ipvsadm/connections-count/1", ...both })}\n`;
    case "ndjson":
      return `${jsonText(both, 0)}\n`;
    case "csv":
      return `connections,templates\n${connections},${templates}\n`;
    case "yaml":
      return `schema: "ipvsadm/connections-count/1"\nconnections: ${connections}\ntemplates: ${templates}\n`;
    default:
      return `${selected[query.templates]}\n`;
  }
}

async function countTop(
  query: Query,
  { by, limit }: NonNullable<Query["top"]>,
  { given, io, output }: Invocation,
): Promise<void> {
  const counter = new TopCounter(by);
  await scan(query, io, {
    visit(line) {
      counter.add(line);
    },
  });
  const rows = await counter.rows(limit, nameBook(given, io));
  const format = given.text("output") ?? "table";
  showTop(by, rows, counter, format, given.flag("wide"), output);
}

function nameBook(given: Arguments, io: Io): NameBook | undefined {
  return given.flag("names") ? new NameBook(io.names) : undefined;
}
