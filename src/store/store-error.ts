/** Why a call of the store failed. */
export type StoreFailure =
  /** No member answered in time, or all refused the connection. Nothing was changed */
  | "unreachable"
  /** The answer to a write was lost: it may or may not have been made */
  | "outcome-unknown"
  /** The members answer, but have no leader */
  | "no-leader"
  /** The certificate or the user may not do this */
  | "denied"
  /** The name or the password is wrong, or the store asks for a user */
  | "unauthenticated"
  /** The TLS connection could not be made: certificates do not match */
  | "untrusted"
  /** The watched revision is not kept any more */
  | "compacted"
  /** The lease has ended */
  | "no-lease"
  /** The request is larger than the store accepts */
  | "too-large"
  /** The store's disk quota is used up */
  | "no-space"
  /** The caller ended the call */
  | "aborted"
  /** Anything else */
  | "other";

/** A call of the store failed. */
export class StoreError extends Error {
  override readonly name = "StoreError";

  constructor(
    readonly kind: StoreFailure,
    /** What the store or the system said. It comes from the network: escape it before it is shown */
    readonly detail: string,
    options?: ErrorOptions,
  ) {
    super(`${kind}: ${detail}`, options);
  }
}
