import type { Table } from "../ipvs/table.js";
import { compare } from "../plan/compare.js";
import { StoreError } from "../store/store-error.js";
import type { Condition, Store, StoreChange } from "../store/store.js";
import { gzip, sha256 } from "../system/compress.js";
import { RevisionError } from "./fleet-error.js";
import type { FleetKeys } from "./keys.js";
import { recordBytes } from "./record.js";
import { checkRemovals, type Permits } from "./removals.js";
import { repeatWrite } from "./repeat-write.js";
import {
  fetchRevision,
  readHead,
  readRevision,
  type Head,
  type Revision,
} from "./revision.js";
import { asCurrentState, tableOfText, textOfTable } from "./table-text.js";

/** The largest content with gzip. etcd takes requests of 1.5 MiB by default; the rest is for the other keys. */
export const LARGEST_CONTENT_BYTES = 1_400_000;

/** A table to publish. */
export interface Publication extends Permits {
  readonly name: string;
  readonly table: Table;
  readonly author: string;
  readonly message: string;
  /** The time as ISO 8601 */
  readonly at: string;
  /** A random text that no other publication has */
  readonly id: string;
  /** Refuse if the newest revision is another one. 0: the table must not exist */
  readonly expect?: number | undefined;
  /** Whether directors apply it at once. Otherwise a rollout does that */
  readonly release: boolean;
  readonly copyOf?: number | undefined;
}

/**
 * Stores a table as a new revision, and moves the pointer of the table to it. If the answer of the store is lost, it reads
 * back whether the revision was stored.
 *
 * @returns the revision, and the one before
 * @throws {RevisionError} `head-moved`, `too-large`, `empty`, `removes-too-much`
 * @throws {StoreError}
 */
export async function publish(
  store: Store,
  keys: FleetKeys,
  publication: Publication,
): Promise<{ readonly revision: Revision; readonly before: Head }> {
  const { name, table, expect, release } = publication;
  const headKey = keys.head(name);
  const { found } = await store.get(headKey);
  const before: Head = found ? readHead(found) : { newest: 0, released: 0 };
  if (expect !== undefined && expect !== before.newest)
    throw headMoved(name, before.newest, `expected ${expect}`);
  const content = Buffer.from(textOfTable(table), "latin1");
  const compressed = gzip(content);
  if (compressed.length > LARGEST_CONTENT_BYTES)
    throw new RevisionError(
      "too-large",
      `the table has ${compressed.length} bytes with gzip, the limit is ${LARGEST_CONTENT_BYTES}`,
    );
  await checkAgainstReleased(store, keys, publication, before);
  const revision = revisionOf(publication, before.newest + 1, content, {
    bytes: compressed.length,
  });
  const head: Head = {
    newest: revision.revision,
    released: release ? revision.revision : before.released,
  };
  await commitOnce(store, keys, revision, {
    conditions: [{ key: headKey, revision: found?.revision ?? 0n }],
    changes: [
      {
        put: keys.revision(name, revision.revision),
        value: recordBytes(revision),
      },
      { put: keys.content(name, revision.revision), value: compressed },
      { put: headKey, value: recordBytes(head) },
    ],
  });
  return { revision, before };
}

function revisionOf(
  publication: Publication,
  revision: number,
  content: Uint8Array,
  { bytes }: { readonly bytes: number },
): Revision {
  const { name, table, id, author, message, at, force, allowEmpty, copyOf } =
    publication;
  return {
    table: name,
    revision,
    id,
    author,
    message,
    at,
    sha256: sha256(content),
    bytes,
    services: table.services.length,
    servers: table.services.reduce((sum, one) => sum + one.servers.length, 0),
    force,
    allowEmpty,
    copyOf,
  };
}

/** Refuses at once what directors would refuse later. */
async function checkAgainstReleased(
  store: Store,
  keys: FleetKeys,
  { name, table, force, allowEmpty }: Publication,
  { newest, released }: Head,
): Promise<void> {
  if (table.services.length === 0 && !allowEmpty)
    throw new RevisionError("empty", "it has no services");
  if (newest === 0 || force) return;
  // What most directors have. A staged revision may be one that nobody has.
  const before = released > 0 ? released : newest;
  const { text } = await fetchRevision(store, keys, name, before);
  const current = asCurrentState(tableOfText(text));
  const differences = compare(table, current, {
    prune: true,
    keepWeights: false,
  });
  checkRemovals(table, current, differences, {
    permits: { force, allowEmpty },
  });
}

interface Transaction {
  readonly conditions: readonly Condition[];
  readonly changes: readonly StoreChange[];
}

/**
 * Makes the transaction exactly once. The conditions allow it only once, so it can be repeated; the revision's ID tells whose
 * transaction was made.
 */
async function commitOnce(
  store: Store,
  keys: FleetKeys,
  revision: Revision,
  { conditions, changes }: Transaction,
): Promise<void> {
  let lost: StoreError | undefined;
  try {
    const answer = await repeatWrite(() => store.commit(conditions, changes));
    if (answer.succeeded) return;
  } catch (error) {
    if (!isStoreError(error, "outcome-unknown")) throw error;
    lost = error;
  }
  // An earlier attempt may have been made whose answer was lost.
  if (await readBack(store, keys, revision)) return;
  if (lost) throw lost;
  const { found } = await store.get(keys.head(revision.table));
  throw headMoved(
    revision.table,
    found ? readHead(found).newest : 0,
    "another publisher was faster",
  );
}

/** Whether the revision is stored. @throws {StoreError} `outcome-unknown` if the store does not answer */
async function readBack(
  store: Store,
  keys: FleetKeys,
  revision: Revision,
): Promise<boolean> {
  try {
    return await isStored(store, keys, revision);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError("outcome-unknown", error.detail, { cause: error });
  }
}

function isStoreError(
  error: unknown,
  kind: StoreError["kind"],
): error is StoreError {
  return error instanceof StoreError && error.kind === kind;
}

async function isStored(
  store: Store,
  keys: FleetKeys,
  { table, revision, id }: Revision,
): Promise<boolean> {
  const { found } = await store.get(keys.revision(table, revision));
  return found !== undefined && readRevision(found).id === id;
}

function headMoved(table: string, newest: number, why: string): RevisionError {
  return new RevisionError(
    "head-moved",
    newest === 0
      ? `table ${table} does not exist (${why})`
      : `the newest revision of table ${table} is ${newest} (${why})`,
  );
}
