import { isTemplate } from "../../ipvs/connection-states.js";
import { familyOf } from "../../ipvs/address.js";
import type { Connection } from "../../ipvs/connections.js";
import { FAMILIES } from "../../document/enum-names.js";
import { writeAddress } from "../../text/address-text.js";
import { ByteBuilder, type TextBuilder } from "../../text/text-builder.js";
import type { Display } from "../../cli/output.js";
import {
  RecordWriter,
  type Field,
  type RecordFormat,
} from "../../cli/records.js";
import { fromBytes } from "../../cli/escape.js";
import { counted } from "../../cli/units.js";
import type { Query } from "./query.js";
import {
  markOf,
  protocolWord,
  stateText,
  writeClient,
  writeServer,
  writeService,
  type Naming,
} from "./connection-text.js";
import type { Totals } from "./scan.js";
import { ConnectionTable } from "./connection-table.js";

/** Writes connections in one output format, chunk by chunk. */
export interface Printer {
  begin(): void;
  add(connections: readonly Connection[]): void;
  /** @param limited whether the limit was reached, so that there may be more connections */
  end(totals: Totals, query: Query, limited: boolean): void;
}

/** Makes the printer for an output format. */
export function connectionPrinter(
  format: string,
  out: TextBuilder,
  display: Display,
  name: Naming,
): Printer {
  switch (format) {
    case "json":
    case "ndjson":
    case "csv":
    case "yaml":
      return recordPrinter(format, out, name);
    default:
      return tablePrinter(out, display, name);
  }
}

function tablePrinter(
  out: TextBuilder,
  display: Display,
  name: Naming,
): Printer {
  const table = new ConnectionTable(out, display);
  return {
    begin() {
      // The title line needs the widths of the first chunk.
    },
    add(connections) {
      table.add(connections, name);
    },
    end(totals, query, limited) {
      out.text(`${display.paint.dim(summary(totals, query, limited))}\n`);
    },
  };
}

/** `3 connections; 1 template not shown` */
function summary(
  totals: Totals,
  { templates: selected, limit }: Query,
  limited: boolean,
): string {
  if (limited) return `the first ${limit}; there may be more`;
  const connections = counted(totals.connections, "connection");
  const templates = counted(totals.templates, "template");
  switch (selected) {
    case "only":
      return templates;
    case "with":
      return `${connections}, ${templates}`;
    case "without":
      return totals.templates === 0
        ? connections
        : `${connections}; ${templates} not shown`;
  }
}

/** Whether an entry is of a service with an address: the entry of a firewall mark is a template. */
const hasAddress = ({ protocol }: Connection) => protocol !== "IP";

/** The fields: the word of each thing, then its parts. */
const FIELDS: readonly Field<Connection>[] = [
  {
    name: "service",
    write: (out, connection) => {
      writeService(out, connection);
    },
  },
  {
    name: "protocol",
    when: hasAddress,
    write: (out, connection) => {
      out.text(protocolWord(connection));
    },
  },
  {
    name: "serviceAddress",
    when: hasAddress,
    write: (out, { virtual }) => {
      writeAddress(out, virtual);
    },
  },
  {
    name: "servicePort",
    value: (connection) =>
      hasAddress(connection) ? connection.virtualPort : undefined,
  },
  {
    name: "family",
    when: (connection) => !hasAddress(connection),
    write: (out, { virtual }) => {
      out.text(FAMILIES.word(familyOf(virtual)) ?? "");
    },
  },
  {
    name: "firewallMark",
    value: (connection) =>
      hasAddress(connection) ? undefined : markOf(connection.virtual),
  },
  {
    name: "client",
    write: (out, connection) => {
      writeClient(out, connection);
    },
  },
  {
    name: "clientAddress",
    write: (out, { client }) => {
      writeAddress(out, client);
    },
  },
  {
    name: "clientPort",
    value: (connection) =>
      isTemplate(connection) ? undefined : connection.clientPort,
  },
  {
    name: "server",
    write: (out, connection) => {
      writeServer(out, connection);
    },
  },
  {
    name: "serverAddress",
    write: (out, { server }) => {
      writeAddress(out, server);
    },
  },
  { name: "serverPort", value: ({ serverPort }) => serverPort },
  {
    name: "state",
    write: (out, { state }) => {
      out.text(stateText(state));
    },
  },
  { name: "expiresSeconds", value: ({ expiresSeconds }) => expiresSeconds },
  { name: "template", value: isTemplate },
  {
    name: "persistenceEngine",
    value: ({ persistenceEngine: name }) => name && fromBytes(name),
  },
  {
    name: "persistenceData",
    value: ({ persistenceData: data }) => data && fromBytes(data),
  },
];

/** Fields for names, in addition to the numbers. */
function nameFields(name: NonNullable<Naming>): Field<Connection>[] {
  const buffer = new ByteBuilder();
  const nameField = (
    field: string,
    write: (out: TextBuilder, connection: Connection, name: Naming) => void,
  ): Field<Connection> => ({
    name: field,
    value(connection) {
      write(buffer, connection, name);
      return fromBytes(buffer.take());
    },
  });
  return [
    nameField("serviceName", writeService),
    nameField("clientName", writeClient),
    nameField("serverName", writeServer),
  ];
}

function recordPrinter(
  format: RecordFormat,
  out: TextBuilder,
  name: Naming,
): Printer {
  const fields = name ? [...FIELDS, ...nameFields(name)] : FIELDS;
  const writer = new RecordWriter(format, out, fields);
  return {
    begin() {
      writer.begin({ schema: "ipvsadm/connections/1" }, "connections");
    },
    add(connections) {
      for (const connection of connections) writer.add(connection);
    },
    end() {
      writer.end();
    },
  };
}
