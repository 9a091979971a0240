import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { ruleLines } from "../../grammar/format-rule.js";
import type { Address } from "../../ipvs/address.js";
import type { EndpointName } from "../../ipvs/model.js";
import { assess, type AssessedService } from "../../ipvs/state.js";
import { totalsOf } from "../../ipvs/totals.js";
import type { Io } from "../../runtime/io.js";
import { NameBook, numericName } from "../../runtime/name-book.js";
import { UsageError } from "../../cli/errors.js";
import type { Output } from "../../cli/output.js";
import type { Arguments } from "../../cli/parser.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { readServer, readService } from "../../cli/selectors.js";
import { escapeControls } from "../../cli/escape.js";
import { csvLines } from "./csv.js";
import { jsonPieces, ndjsonLines, yamlPieces } from "./json-yaml.js";
import { COLUMN_KEYS, type ColumnKey, type SortKey } from "./column-keys.js";
import { documentNames, labelsBy } from "./labels.js";
import {
  isSelective,
  selectFrom,
  type Selection,
  type Shown,
  type Wanted,
} from "./filter.js";
import { sortShown } from "./sort.js";
import { tableLines } from "./list-table.js";

export const run: RunSubcommand = async ({ given, io, output }) => {
  checkColumns(given);
  const selection = await readSelection(given, io);
  const table = await readTable(io);
  const shown = sortShown(
    selectFrom(table, selection),
    (given.text("sort") ?? "name") as SortKey, // one of the choices
    given.flag("reverse"),
  );
  await print(shown, isSelective(selection), given, io, output);
  return EXIT.ok;
};

function checkColumns(given: Arguments): void {
  const format = given.text("output") ?? "table";
  if (
    given.list("columns").length > 0 &&
    format !== "table" &&
    format !== "csv"
  )
    throw new UsageError(
      `--columns goes with table and csv, not ${format}`,
      "list",
    );
}

async function readSelection(given: Arguments, io: Io): Promise<Selection> {
  const all = <T>(
    words: readonly string[],
    read: (text: string) => Promise<T>,
  ): Promise<Wanted<T>[]> =>
    Promise.all(words.map(async (text) => ({ text, meant: await read(text) })));
  return {
    services: await all(given.positionals, (text) =>
      readService(text, io.names),
    ),
    servers: await all(given.list("server"), (text) =>
      readServer(text, undefined, io.names),
    ),
    protocols: given.list("protocol"),
    schedulers: given.list("scheduler"),
    forwarding: given.list("forwarding"),
    states: given.list("state"),
  };
}

async function readTable(io: Io): Promise<AssessedService[]> {
  using access = new IpvsAccess(io);
  const client = await access.open();
  return (await client.table()).map(assess);
}

async function print(
  shown: readonly Shown[],
  partial: boolean,
  given: Arguments,
  io: Io,
  output: Output,
): Promise<void> {
  const named = given.flag("names");
  const name = named ? await learnNames(shown, io) : numericName;
  const labels = labelsBy(name);
  const totals = totalsOf(shown.map(({ service }) => service));
  const listing = { shown, totals, partial };
  const names = named ? documentNames(labels) : undefined;
  const columns = given.list("columns") as readonly ColumnKey[]; // of the choices
  switch (given.text("output")) {
    case "json":
      for (const piece of jsonPieces(listing, names)) output.write(piece);
      return;
    case "ndjson":
      output.lines(ndjsonLines(shown, names));
      return;
    case "yaml":
      for (const piece of yamlPieces(listing, names)) output.write(piece);
      return;
    case "csv":
      output.lines(
        csvLines(shown, columns.length > 0 ? columns : COLUMN_KEYS, labels),
      );
      return;
    case "rules":
      output.lines(rules(shown, name));
      return;
    default:
      output.lines(
        tableLines(shown, totals, {
          width: given.flag("wide") ? undefined : output.width,
          paint: output.paint,
          columns,
          labels,
          notable: given.list("state").length === 0,
        }),
      );
  }
}

function* rules(shown: Iterable<Shown>, name: EndpointName): Generator<string> {
  for (const { service, servers } of shown)
    for (const line of ruleLines({ ...service, servers }, name))
      yield escapeControls(line.trimEnd());
}

/** Asks for the names of all addresses that are shown, at the same time. */
async function learnNames(
  shown: readonly Shown[],
  io: Io,
): Promise<EndpointName> {
  const book = new NameBook(io.names);
  await book.learn(addressesOf(shown));
  return (address, port, protocol) =>
    escapeControls(book.name(address, port, protocol));
}

function* addressesOf(shown: readonly Shown[]): Generator<Address> {
  for (const { service, servers } of shown) {
    if ("address" in service.key) yield service.key.address;
    for (const { key } of servers) yield key.address;
  }
}
