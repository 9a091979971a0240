import { isTemplate } from "../../ipvs/connection-states.js";
import type { Connection } from "../../ipvs/connections.js";
import { writeAddress } from "../../text/address-text.js";
import { ByteBuilder, type TextBuilder } from "../../text/text-builder.js";
import type { Output } from "../../cli/output.js";
import {
  RecordWriter,
  type Field,
  type RecordFormat,
} from "../../cli/records.js";
import { fromBytes } from "../../cli/escape.js";
import type { Question } from "./query.js";
import {
  stateWord,
  writeClient,
  writeServer,
  writeService,
  type Naming,
} from "./cells.js";
import type { Totals } from "./scan.js";
import { ConnectionTable } from "./connection-table.js";

/** Writes connections as they come. */
export interface Printer {
  begin(): void;
  add(connections: readonly Connection[]): void;
  /** @param cut whether no more were wanted than were shown */
  end(totals: Totals, question: Question, cut: boolean): void;
}

export interface Looks extends Pick<Output, "paint" | "width"> {
  readonly name: Naming;
}

/** What writes connections in a format. */
export function connectionPrinter(
  format: string,
  out: TextBuilder,
  looks: Looks,
): Printer {
  switch (format) {
    case "json":
    case "ndjson":
    case "csv":
    case "yaml":
      return recordPrinter(format, out, looks.name);
    default:
      return tablePrinter(out, looks);
  }
}

function tablePrinter(out: TextBuilder, looks: Looks): Printer {
  const table = new ConnectionTable(out, looks);
  return {
    begin() {
      // the titles want widths, which the connections tell
    },
    add(connections) {
      table.add(connections, looks.name);
    },
    end(totals, question, cut) {
      out.text(`${looks.paint.dim(summary(totals, question, cut))}\n`);
    },
  };
}

/** `3 connections, 1 template not shown` */
function summary(
  { connections, templates }: Totals,
  { templates: shown, limit }: Question,
  cut: boolean,
): string {
  if (cut) return `the first ${limit}; there may be more`;
  const some = `${connections} ${connections === 1 ? "connection" : "connections"}`;
  const bound = `${templates} ${templates === 1 ? "template" : "templates"}`;
  switch (shown) {
    case "only":
      return bound;
    case "with":
      return `${some}, ${bound}`;
    case "without":
      return templates === 0 ? some : `${some}; ${bound} not shown`;
  }
}

const FIELDS: readonly Field<Connection>[] = [
  {
    key: "service",
    plain: (out, connection) => {
      writeService(out, connection);
    },
  },
  {
    key: "client",
    plain: (out, { client }) => {
      writeAddress(out, client);
    },
  },
  { key: "clientPort", number: ({ clientPort }) => clientPort },
  {
    key: "server",
    plain: (out, { server }) => {
      writeAddress(out, server);
    },
  },
  { key: "serverPort", number: ({ serverPort }) => serverPort },
  {
    key: "state",
    plain: (out, { state }) => {
      out.text(stateWord(state));
    },
  },
  { key: "expiresSeconds", number: ({ expiresSeconds }) => expiresSeconds },
  { key: "template", number: isTemplate },
  {
    key: "persistenceEngine",
    text: ({ persistenceEngine: name }) => name && fromBytes(name),
  },
  {
    key: "persistenceData",
    text: ({ persistenceData: data }) => data && fromBytes(data),
  },
];

/** The names as the table has them. */
function nameFields(name: NonNullable<Naming>): Field<Connection>[] {
  const scratch = new ByteBuilder();
  const field = (
    key: string,
    write: (out: TextBuilder, connection: Connection, name: Naming) => void,
  ): Field<Connection> => ({
    key,
    text(connection) {
      write(scratch, connection, name);
      return fromBytes(scratch.take());
    },
  });
  return [
    field("serviceName", writeService),
    field("clientName", writeClient),
    field("serverName", writeServer),
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
