import type { Address } from "../../ipvs/address.js";
import type { Connection } from "../../ipvs/connections.js";
import type { Io } from "../../runtime/io.js";
import { NameBook } from "../../runtime/name-book.js";
import { ByteBuilder } from "../../text/text-builder.js";
import { jsonText } from "../../document/json-text.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import { readQuestion, type Question } from "./query.js";
import { connectionPrinter } from "./row-printer.js";
import { scan, type Totals } from "./scan.js";
import { TopCounter } from "./top-counter.js";
import { showTop } from "./top-view.js";

/** How many connections are shown at once; the widths of a table are those of the first so many. */
const PORTION = 250;

export const run: RunSubcommand = async (call) => {
  const question = await readQuestion(call.given, call.io.names);
  if (question.count) await showCount(question, call);
  else if (question.top) await countTop(question, question.top, call);
  else await showConnections(question, call);
  return EXIT.ok;
};

async function showConnections(
  question: Question,
  { given, io, output }: Invocation,
): Promise<void> {
  const out = new ByteBuilder();
  const book = bookFor(given.flag("names"), io);
  const printer = connectionPrinter(given.text("output") ?? "", out, {
    paint: output.paint,
    width: given.flag("wide") ? undefined : output.width,
    name: book?.name,
  });
  let left = question.limit;
  let chunk: Connection[] = [];
  const print = async () => {
    await book?.learn(chunk.flatMap(endsOf));
    printer.add(chunk);
    chunk = [];
    io.stdout(out.take()); // bytes already
  };
  printer.begin();
  const totals = await scan(question, io, {
    visit(line) {
      if (left === 0) return;
      const connection = line.connection();
      if (!connection) return;
      chunk.push(connection);
      left--;
    },
    async pause() {
      if (chunk.length >= PORTION) await print();
      return left === 0;
    },
  });
  await print();
  printer.end(totals, question, left === 0);
  io.stdout(out.take());
}

async function showCount(
  question: Question,
  { given, io, output }: Invocation,
): Promise<void> {
  const totals = await scan(question, io, {
    visit() {
      // the totals are all
    },
  });
  output.write(countText(given.text("output") ?? "", totals, question));
}

function countText(
  format: string,
  { connections, templates }: Totals,
  question: Question,
): string {
  const shown = {
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
      return `${shown[question.templates]}\n`;
  }
}

async function countTop(
  question: Question,
  { by, limit }: NonNullable<Question["top"]>,
  { given, io, output }: Invocation,
): Promise<void> {
  const counter = new TopCounter(by);
  await scan(question, io, {
    visit(line) {
      counter.add(line);
    },
  });
  const rows = await counter.rows(limit, bookFor(given.flag("names"), io));
  const format = given.text("output") ?? "";
  showTop(by, rows, counter, format, given.flag("wide"), output);
}

function bookFor(names: boolean, io: Io): NameBook | undefined {
  return names ? new NameBook(io.names) : undefined;
}

function endsOf({ client, virtual, server }: Connection): Address[] {
  return [client, virtual, server];
}
