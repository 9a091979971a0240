import type { CallOptions, Store, StoredValue } from "../store/store.js";
import { gunzip, sha256 } from "../system/compress.js";
import { RevisionError } from "./fleet-error.js";
import type { FleetKeys } from "./keys.js";
import { RecordReader } from "./record.js";

/** The largest table, before gzip. 100,000 services with three servers each have about 50 MB. */
const LARGEST_TABLE_BYTES = 256 * 1024 * 1024;

/** Which revisions of a table there are, and which one the directors apply. */
export interface Head {
  readonly newest: number;
  /** What directors without an order of their own apply; 0 if none was released yet */
  readonly released: number;
}

/** What is known of a revision besides its content. It never changes. */
export interface Revision {
  readonly table: string;
  readonly revision: number;
  /** A random text of the publisher. It tells whether a write whose answer was lost was made */
  readonly id: string;
  readonly author: string;
  readonly message: string;
  /** When it was published, by the publisher's clock: ISO 8601 */
  readonly at: string;
  /** Of the content before gzip */
  readonly sha256: string;
  /** Bytes with gzip */
  readonly bytes: number;
  readonly services: number;
  readonly servers: number;
  /** The publisher allows any share of removals */
  readonly force: boolean;
  /** The publisher allows a table without services */
  readonly allowEmpty: boolean;
  /** The revision that it repeats, if it is a rollback */
  readonly copyOf?: number | undefined;
}

/** A revision with its table, as the text of a document. */
export interface RevisionContent {
  readonly revision: Revision;
  readonly text: string;
}

export function readHead({ key, value }: StoredValue): Head {
  const record = RecordReader.parse(key, value);
  return { newest: record.count("newest"), released: record.count("released") };
}

export function readRevision({ key, value }: StoredValue): Revision {
  const record = RecordReader.parse(key, value);
  return {
    table: record.text("table"),
    revision: record.count("revision"),
    id: record.text("id"),
    author: record.text("author"),
    message: record.text("message"),
    at: record.text("at"),
    sha256: record.text("sha256"),
    bytes: record.count("bytes"),
    services: record.count("services"),
    servers: record.count("servers"),
    force: record.flag("force"),
    allowEmpty: record.flag("allowEmpty"),
    copyOf: record.optionalCount("copyOf"),
  };
}

/**
 * Fetches the pointer of a table.
 *
 * @throws {RevisionError} `no-table`
 * @throws {StoreError}
 */
export async function fetchHead(
  store: Store,
  keys: FleetKeys,
  table: string,
): Promise<Head> {
  const { found } = await store.get(keys.head(table));
  if (!found) throw new RevisionError("no-table", `no table ${table}`);
  return readHead(found);
}

/**
 * Fetches a revision with its content, and checks its hash.
 *
 * @throws {RevisionError} `no-revision`, `damaged`
 * @throws {StoreError}
 */
export async function fetchRevision(
  store: Store,
  keys: FleetKeys,
  table: string,
  revision: number,
  options?: CallOptions,
): Promise<RevisionContent> {
  const [{ found }, { found: content }] = await Promise.all([
    store.get(keys.revision(table, revision), options),
    store.get(keys.content(table, revision), options),
  ]);
  if (!found || !content)
    throw new RevisionError(
      "no-revision",
      `table ${table} has no revision ${revision}`,
    );
  const known = readRevision(found);
  return { revision: known, text: checkedText(known, content.value) };
}

/** Decompresses the content of a revision, and checks its hash. @throws {RevisionError} `damaged` */
export function checkedText(
  {
    table,
    revision,
    sha256: expected,
  }: Pick<Revision, "table" | "revision" | "sha256">,
  compressed: Uint8Array,
): string {
  const bytes = gunzip(compressed, LARGEST_TABLE_BYTES);
  if (!bytes || sha256(bytes) !== expected)
    throw new RevisionError(
      "damaged",
      `revision ${revision} of table ${table} does not match its hash`,
    );
  return bytes.toString("latin1");
}

/** Fetches all revisions of a table without their content, oldest first. @throws {StoreError} */
export async function fetchHistory(
  store: Store,
  keys: FleetKeys,
  table: string,
): Promise<Revision[]> {
  const { found } = await store.range(keys.revisions(table));
  return found.map(readRevision);
}
