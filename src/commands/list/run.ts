import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { ruleLines } from "../../grammar/format-rule.js";
import type { Address } from "../../ipvs/address.js";
import type { EndpointName } from "../../ipvs/model.js";
import { assess, type AssessedService } from "../../ipvs/state.js";
import { totalsOf } from "../../ipvs/totals.js";
import type { Io } from "../../runtime/io.js";
import { NameBook, numericName } from "../../runtime/name-book.js";
import { UsageError } from "../../cli/errors.js";
import type { Arguments } from "../../cli/parser.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import { escapeControls } from "../../cli/escape.js";
import { recordChunks } from "../../cli/records.js";
import { columnsWith } from "./columns.js";
import { csvFields, csvRecords } from "./csv.js";
import { documentNames, endpointNames } from "./endpoint-names.js";
import { applyFilters, isFiltered, readFilters } from "./filter.js";
import { jsonChunks, ndjsonLines, yamlChunks } from "./json-yaml.js";
import { tableLines } from "./list-table.js";
import { COLUMN_KEYS, type ColumnKey, type SortKey } from "./option-values.js";
import type { ListedService } from "./rows.js";
import { sortListing } from "./sort.js";

export const run: RunSubcommand = async (call) => {
  const { given, io } = call;
  checkOptions(given);
  const filters = await readFilters(given, io.names, "list");
  const services = sortListing(
    applyFilters(await readTable(io), filters),
    (given.text("sort") ?? "name") as SortKey, // The parser has checked it.
    given.flag("reverse"),
  );
  await print(services, isFiltered(filters), call);
  return EXIT.ok;
};

function checkOptions(given: Arguments): void {
  const format = given.text("output") ?? "table";
  const only =
    given.list("columns").length > 0
      ? "--columns"
      : given.flag("no-header") && "--no-header";
  if (only && format !== "table" && format !== "csv")
    throw new UsageError(
      `${only} works with the formats table and csv, not with ${format}`,
      "list",
    );
  if (given.flag("numeric") && given.flag("names"))
    throw new UsageError("--numeric and --names exclude each other", "list");
}

async function readTable(io: Io): Promise<AssessedService[]> {
  using access = new IpvsAccess(io);
  const client = await access.openWithoutLoading();
  return (await client.table()).map(assess);
}

async function print(
  services: readonly ListedService[],
  partial: boolean,
  { given, io, output }: Invocation,
): Promise<void> {
  const byName = given.flag("names");
  const header = !given.flag("no-header");
  const name = byName ? await resolveNames(services, io) : numericName;
  const names = endpointNames(name);
  const totals = totalsOf(services.map(({ service }) => service));
  const listing = { services, totals, partial };
  const extraNames = byName ? documentNames(names) : undefined;
  const columns = given.list("columns") as readonly ColumnKey[]; // The parser has checked them.
  switch (given.text("output")) {
    case "json":
      for (const chunk of jsonChunks(listing, extraNames)) output.write(chunk);
      return;
    case "ndjson":
      output.lines(ndjsonLines(services, extraNames));
      return;
    case "yaml":
      for (const chunk of yamlChunks(listing, extraNames)) output.write(chunk);
      return;
    case "csv": {
      const all = columnsWith(names);
      const keys = columns.length > 0 ? columns : COLUMN_KEYS;
      const fields = csvFields(
        keys.map((key) => all[key]),
        byName,
      );
      const records = csvRecords(services, extraNames);
      const chunks = recordChunks("csv", fields, {}, "", records);
      for (const chunk of header ? chunks : withoutFirstLine(chunks))
        io.stdout(chunk);
      return;
    }
    case "rules":
      output.lines(rules(services, name));
      return;
    default:
      output.lines(
        tableLines(services, totals, {
          width: given.flag("wide") ? undefined : output.width,
          paint: output.paint,
          columns,
          names,
          header,
          summary: given.list("state").length === 0,
        }),
      );
  }
}

/** The first line is in the first chunk. */
function* withoutFirstLine(chunks: Iterable<string>): Generator<string> {
  let first = true;
  for (const chunk of chunks) {
    yield first ? chunk.slice(chunk.indexOf("\n") + 1) : chunk;
    first = false;
  }
}

function* rules(
  services: Iterable<ListedService>,
  name: EndpointName,
): Generator<string> {
  for (const { service, servers } of services)
    for (const line of ruleLines({ ...service, servers }, name))
      yield escapeControls(line.trimEnd());
}

/** Looks up the names of all listed addresses at the same time. */
async function resolveNames(
  services: readonly ListedService[],
  io: Io,
): Promise<EndpointName> {
  const book = new NameBook(io.names);
  await book.learn(addressesOf(services));
  return (address, port, protocol) =>
    escapeControls(book.name(address, port, protocol));
}

function* addressesOf(services: readonly ListedService[]): Generator<Address> {
  for (const { service, servers } of services) {
    if ("address" in service.key) yield service.key.address;
    for (const { key } of servers) yield key.address;
  }
}
