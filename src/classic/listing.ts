import type { Address } from "../ipvs/address.js";
import type { IpvsClient } from "../ipvs/client.js";
import { ConnectionReader } from "../ipvs/connection-reader.js";
import type { ServerKey, EndpointName, ServiceSummary } from "../ipvs/model.js";
import { withListedServers } from "../ipvs/listed-service.js";
import { TableFile } from "../ipvs/table-file.js";
import type { ListCommand } from "../grammar/command.js";
import { writeRules } from "../grammar/format-rule.js";
import type { ClassicIo } from "../runtime/io.js";
import { blocksOf, InputFailed } from "../system/files.js";
import {
  connectionTitles,
  writeConnection,
  type ConnectionStyle,
} from "../view/connections.js";
import { UsualConnections } from "../view/connection-text.js";
import { writeCounters } from "../view/counters.js";
import {
  daemonLine,
  SERVER_COLUMNS,
  timeoutLine,
  titleLines,
  versionLine,
  writeService,
} from "../view/listing.js";
import { sortServers, sortServices } from "../view/order.js";
import { StringBuilder } from "../text/string-builder.js";
import { ByteBuilder, type TextBuilder } from "../text/text-builder.js";
import { NameBook } from "../runtime/name-book.js";

/**
 * Size of the chunks in which listings are written: large enough for few writes, small enough for
 * little memory.
 */
const CHUNK_BYTES = 32 * 1024;

/**
 * The file of connections cannot be opened: the module is not loaded, or the user may not read it.
 */
export class NoConnectionsFile extends Error {
  override readonly name = "NoConnectionsFile";
}

/**
 * Carries out `-L`.
 *
 * @throws {KernelRefusal} ESRCH: the requested service does not exist
 * @throws {NoConnectionsFile}
 */
export async function list(
  command: ListCommand,
  client: IpvsClient,
  io: ClassicIo,
): Promise<void> {
  switch (command.what) {
    case "timeouts":
      io.stdout(timeoutLine(await client.timeouts()));
      return;
    case "daemons":
      for (const daemon of await client.daemons())
        io.stdout(daemonLine(daemon));
      return;
    case "connections":
      return listConnections(command, io);
    case "table":
      return listTable(command, client, io);
  }
}

/** Carries out `-S`. */
export async function save(
  numeric: boolean,
  client: IpvsClient,
  io: ClassicIo,
): Promise<void> {
  const services = sortServices(await client.serviceSummaries());
  const table = client.withServerSummaries(services);
  await show(table, true, numeric, io, writeRules);
}

async function listTable(
  { service, format, numeric, exact, sorted }: ListCommand,
  client: IpvsClient,
  io: ClassicIo,
): Promise<void> {
  const ordered = <S extends ServiceSummary>(services: readonly S[]) => {
    if (!service) io.stdout(versionLine(client.info));
    io.stdout(titleLines(format));
    return sorted ? sortServices(services) : services;
  };
  // The kernel returns an empty list of servers for an unknown service, so ask for the service
  // first.
  const one = service && [await client.service(service)];
  if (format === "stats" || format === "rate") {
    const services = ordered(one ?? (await client.services()));
    const table = client.withServers(services);
    await show(table, sorted, numeric, io, (out, entry, name) => {
      writeCounters(out, entry, { format, exact, name });
    });
    return;
  }
  const services = ordered(one ?? (await client.serviceSummaries()));
  if (format === "plain") {
    const file = one ? undefined : readTableFile(io);
    const table = withListedServers(client, services, file);
    await show(table, sorted, numeric, io, (out, entry, name) => {
      writeService(out, entry, SERVER_COLUMNS.plain, name);
    });
  } else {
    const table = client.withServerSummaries(services);
    await show(table, sorted, numeric, io, (out, entry, name) => {
      writeService(out, entry, SERVER_COLUMNS[format], name);
    });
  }
}

/** Reads /proc/net/ip_vs; undefined if it cannot be read, as in a sandbox without /proc. */
function readTableFile(io: ClassicIo): TableFile | undefined {
  const bytes = io.kernelTable();
  return bytes && new TableFile(bytes);
}

/** A virtual service with the keys of its real servers. */
interface Listed extends ServiceSummary {
  readonly servers: readonly { readonly key: ServerKey }[];
}

/** Writes services with their servers, chunk by chunk. */
async function show<Entry extends Listed>(
  table: AsyncIterable<readonly Entry[]>,
  sorted: boolean,
  numeric: boolean,
  io: ClassicIo,
  write: (out: TextBuilder, entry: Entry, name?: EndpointName) => void,
): Promise<void> {
  const book = numeric ? undefined : new NameBook(io.names);
  const out = builder(io);
  try {
    for await (const some of table) {
      await book?.learn(addressesOf(some));
      for (const entry of some) {
        const servers = sorted ? sortServers(entry.servers) : entry.servers;
        write(out, { ...entry, servers }, book?.name);
        if (out.length >= CHUNK_BYTES) io.stdoutBytes(out.takeBytes());
      }
    }
  } finally {
    io.stdoutBytes(out.takeBytes());
  }
}

function builder({ interpretsCode }: ClassicIo): TextBuilder {
  return interpretsCode
    ? new StringBuilder()
    : new ByteBuilder(2 * CHUNK_BYTES);
}

function* addressesOf(table: readonly Listed[]): Generator<Address> {
  for (const { key, servers } of table) {
    if ("address" in key) yield key.address;
    for (const server of servers) yield server.key.address;
  }
}

/** Writes the file while reading it: it may have millions of lines. */
async function listConnections(
  command: ListCommand,
  io: ClassicIo,
): Promise<void> {
  const { numeric, persistenceData } = command;
  const book = numeric ? undefined : new NameBook(io.names);
  const style = { name: book?.name, engine: persistenceData };
  const reader = new ConnectionReader();
  const out = builder(io);
  const usual =
    io.interpretsCode && numeric && !persistenceData
      ? new UsualConnections()
      : undefined;
  let titled = false;
  try {
    for await (const lines of blocksOf(io.connectionsFile, CHUNK_BYTES)) {
      if (!titled) io.stdout(connectionTitles(persistenceData));
      titled = true;
      if (usual) {
        writeUsual(out, lines, usual, reader);
      } else {
        reader.load(lines);
        await book?.learn(endsIn(reader));
        reader.load(lines);
        writeConnections(out, reader, style);
      }
      io.stdoutBytes(out.takeBytes());
    }
  } catch (error) {
    const unreadable =
      error instanceof InputFailed ||
      (error instanceof Error && "errno" in error);
    if (!titled && unreadable)
      throw new NoConnectionsFile(io.connectionsFile, { cause: error });
    throw error;
  }
}

/** Writes connections as numbers. Lines of an unusual form are decoded byte by byte. */
function writeUsual(
  out: TextBuilder,
  lines: Buffer,
  usual: UsualConnections,
  reader: ConnectionReader,
): void {
  for (const line of lines.toString("latin1").split("\n")) {
    const text = usual.write(line);
    if (text !== undefined) {
      out.text(text);
    } else if (line !== "") {
      reader.load(Buffer.from(line, "latin1"));
      writeConnections(out, reader, { engine: false });
    }
  }
}

function writeConnections(
  out: TextBuilder,
  reader: ConnectionReader,
  style: ConnectionStyle,
): void {
  while (reader.next()) writeConnection(out, reader, style);
}

function* endsIn(reader: ConnectionReader): Generator<Address> {
  while (reader.next()) {
    const { client, virtual, server } = reader;
    if (!client || !virtual || !server) continue;
    yield client;
    yield virtual;
    yield server;
  }
}
