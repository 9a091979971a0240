import type { Daemon, Timeouts } from "../ipvs/model.js";
import type { Table } from "../ipvs/table.js";
import { ErrorCollector, type DocumentValue } from "./document-value.js";
import { ROLES } from "./enum-names.js";
import { foreignFormat } from "./foreign-document.js";
import {
  MalformedDocument,
  type DocumentError,
  type ParsedDocument,
} from "./parsed-document.js";
import { readAddress, readService } from "./read-service.js";
import { RuleLocations, type Rule } from "./rule-locations.js";
import { TABLE_SCHEMA } from "./schema.js";

export type { Rule } from "./rule-locations.js";

/*
 * Reads a document into the model: everything that write-table.ts writes. What is left out has the default of the
 * classic options. Fields that cannot be set, such as counters, are ignored.
 */

/** The maximum length of an interface's name, in bytes. @see IP_VS_IFNAME_MAXLEN in linux/ip_vs.h */
const INTERFACE_BYTES = 15;

const U8 = 0xff;
const U16 = 0xffff;
const U32 = 0xffffffff;

/** Fields that `list` prints and that cannot be set. */
const READ_ONLY_OF_TABLE = ["totals"];

/** A table, and the values of the document that describe it. */
export interface LocatedTable {
  readonly table: Table;
  readonly values: ReadonlyMap<Rule, DocumentValue>;
}

/** The table that a document describes, with all errors. */
export interface TableReading extends LocatedTable {
  /** In the order of the text */
  readonly errors: readonly DocumentError[];
  /** Rules with an error, which contain harmless values instead. An error of a real server does not count for its service. */
  readonly invalid: ReadonlySet<Rule>;
  /** The field that says that the table is incomplete, if it does */
  readonly partial?: DocumentValue;
}

/**
 * Reads the table that a document describes. Counters, states and host names are ignored, because they cannot be set.
 *
 * @throws {MalformedDocument} with all errors, in the order of the text
 */
export function readTable(document: ParsedDocument): LocatedTable {
  const reading = readTableWithErrors(document);
  if (reading.errors.length > 0) throw new MalformedDocument(reading.errors);
  return reading;
}

/** The same, but returns the errors, and what could be read of the table. */
export function readTableWithErrors(document: ParsedDocument): TableReading {
  const errors = new ErrorCollector(document);
  const located = new RuleLocations(errors);
  const { root } = errors;
  const fields = root.fields(
    ["schema", "partial", "services", "timeouts", "daemons"],
    READ_ONLY_OF_TABLE,
  );
  fields.schema.parse(JSON.stringify(TABLE_SCHEMA), (text) =>
    text === TABLE_SCHEMA ? text : undefined,
  );
  const hasSchema = errors.count === 0;
  const services = fields.services
    .items()
    .map((item) => readService(item, located));
  if (!fields.services.exists) fields.services.expected("a list");
  const partial = fields.partial.boolean(false);
  const table: Table = {
    ...(partial && { partial }),
    services,
    ...(fields.timeouts.exists && {
      timeouts: located.read(fields.timeouts, () =>
        readTimeouts(fields.timeouts),
      ),
    }),
    ...(fields.daemons.exists && {
      daemons: fields.daemons
        .items()
        .map((item) => located.read(item, () => readDaemon(item))),
    }),
  };
  const foreign = hasSchema ? undefined : foreignFormat(document.root);
  if (foreign) {
    errors.replaceAll({ path: "", offset: root.offset, ...foreign });
    return { ...NO_TABLE, errors: errors.errors };
  }
  const { values, invalid } = located;
  return {
    table,
    values,
    invalid,
    errors: errors.errors,
    ...(partial && { partial: fields.partial }),
  };
}

/** The reading of a text that is not a table. */
export const NO_TABLE: TableReading = {
  table: { services: [] },
  values: new Map(),
  errors: [],
  invalid: new Set(),
};

function readTimeouts(value: DocumentValue): Timeouts {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = value.fields([
    "tcpSeconds",
    "tcpFinSeconds",
    "udpSeconds",
  ]);
  return {
    tcpSeconds: tcpSeconds.integer(0, U32, 0),
    tcpFinSeconds: tcpFinSeconds.integer(0, U32, 0),
    udpSeconds: udpSeconds.integer(0, U32, 0),
  };
}

function readDaemon(item: DocumentValue): Daemon {
  const fields = item.fields([
    "role",
    "interface",
    "syncId",
    "maximumLength",
    "group",
    "port",
    "ttl",
  ]);
  const name = fields.interface.name(INTERFACE_BYTES);
  if (!fields.interface.exists)
    fields.interface.expected("the name of an interface");
  return {
    state: fields.role.enumValue(ROLES) ?? 1,
    // The model's text has one character per byte.
    multicastInterface: name ?? "",
    syncId: fields.syncId.integer(0, U8, 0),
    ...(fields.maximumLength.exists && {
      maximumLength: fields.maximumLength.integer(0, U16),
    }),
    ...(fields.group.exists && { multicastGroup: readAddress(fields.group) }),
    ...(fields.port.exists && { multicastPort: fields.port.integer(0, U16) }),
    ...(fields.ttl.exists && { multicastTtl: fields.ttl.integer(0, U8) }),
  };
}
