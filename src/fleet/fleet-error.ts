/** A record in the store is not what fleet writes: another program wrote it, or a newer version. */
export class StoreRecordFault extends Error {
  override readonly name = "StoreRecordFault";

  constructor(
    readonly key: string,
    readonly fault: string,
    options?: ErrorOptions,
  ) {
    super(`${key}: ${fault}`, options);
  }
}

/** Other programs changed a key each time before a change could be made. Nothing was changed. */
export class ContendedKey extends Error {
  override readonly name = "ContendedKey";

  constructor(
    readonly key: string,
    readonly attempts: number,
  ) {
    super(`${key}: changed by others, ${attempts} times`);
  }
}

/** Why a revision cannot be published or read. */
export type RevisionFailure =
  /** There is no table of this name */
  | "no-table"
  /** The table has no such revision */
  | "no-revision"
  /** The newest revision is not the expected one */
  | "head-moved"
  /** The table is too large for the store */
  | "too-large"
  /** The content does not match its hash */
  | "damaged"
  /** The table has no services */
  | "empty"
  /** More real servers would be removed than allowed */
  | "removes-too-much";

/** A revision cannot be published or read. Nothing was changed. */
export class RevisionError extends Error {
  override readonly name = "RevisionError";

  constructor(
    readonly kind: RevisionFailure,
    /** In words. It may contain text from the store: escape it before it is shown */
    readonly detail: string,
  ) {
    super(detail);
  }
}
