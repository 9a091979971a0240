import { Code, ConnectError } from "@connectrpc/connect";
import { StoreError, type StoreFailure } from "../store-error.js";

/** A failed attempt at one member. */
export interface Failure {
  readonly kind: StoreFailure;
  readonly detail: string;
  /** Whether the request was certainly not carried out, so that a write can be repeated */
  readonly notDone: boolean;
  /** Whether another attempt can help, here or at another member */
  readonly transient: boolean;
  /** Whether the connection to this member is of no use any more */
  readonly connectionLost: boolean;
  /** Whether the token of the user has expired */
  readonly tokenExpired: boolean;
}

/** Errors of the system before a request is sent. */
const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/** What etcd answers if it did not carry out a request. The texts are part of its API. */
const MESSAGES: readonly (readonly [
  text: string,
  kind: StoreFailure,
  repeat?: "transient" | "token",
])[] = [
  ["no leader", "no-leader", "transient"],
  ["not capable", "unreachable", "transient"],
  ["too many requests", "unreachable", "transient"],
  ["invalid auth token", "unauthenticated", "token"],
  ["revision of auth store is old", "unauthenticated", "token"],
  ["user name is empty", "unauthenticated"],
  ["authentication failed", "unauthenticated"],
  ["permission denied", "denied"],
  ["required revision has been compacted", "compacted"],
  ["requested lease not found", "no-lease"],
  ["request is too large", "too-large"],
  ["database space exceeded", "no-space"],
];

/** Says why an attempt failed. */
export function failureOf(error: unknown): Failure {
  const { code, rawMessage } = ConnectError.from(error);
  const definite = {
    notDone: true,
    connectionLost: false,
    tokenExpired: false,
  };
  for (const [text, kind, repeat] of MESSAGES)
    if (rawMessage.includes(text))
      return {
        ...definite,
        kind,
        detail: rawMessage,
        transient: repeat !== undefined,
        tokenExpired: repeat === "token",
      };
  const symbols = symbolsOf(error);
  const tls = symbols.find((symbol) => isTlsError(symbol));
  if (tls !== undefined)
    return {
      ...definite,
      kind: "untrusted",
      detail: tls,
      transient: true,
      connectionLost: true,
    };
  if (symbols.some((symbol) => NOT_CONNECTED.has(symbol)))
    return {
      ...definite,
      kind: "unreachable",
      detail: symbols[0] ?? rawMessage,
      transient: true,
      connectionLost: true,
    };
  const fromServer = rawMessage.startsWith("etcdserver:");
  switch (code) {
    case Code.Unavailable:
    case Code.DeadlineExceeded:
    case Code.Aborted:
    case Code.Canceled:
    case Code.Internal:
    case Code.Unknown:
    case Code.ResourceExhausted:
      return {
        kind: "unreachable",
        detail: symbols[0] ?? rawMessage,
        notDone: false,
        transient: true,
        connectionLost: !fromServer,
        tokenExpired: false,
      };
    case Code.PermissionDenied:
      return {
        ...definite,
        kind: "denied",
        detail: rawMessage,
        transient: false,
      };
    case Code.Unauthenticated:
      return {
        ...definite,
        kind: "unauthenticated",
        detail: rawMessage,
        transient: false,
      };
    default:
      return {
        ...definite,
        kind: "other",
        detail: rawMessage,
        transient: false,
      };
  }
}

/** The error for the caller. */
export function errorOf(failure: Failure, cause: unknown): StoreError {
  return new StoreError(failure.kind, failure.detail, { cause });
}

/** The symbols of the system's errors in a chain of causes, such as ECONNREFUSED. */
function symbolsOf(error: unknown): string[] {
  const symbols: string[] = [];
  for (
    let at = error, depth = 0;
    at instanceof Error && depth < 10;
    at = at.cause, depth++
  ) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === "string") symbols.push(code);
    // A name with several addresses fails with an error for each.
    if (at instanceof AggregateError)
      symbols.push(...at.errors.flatMap((one) => symbolsOf(one)));
  }
  return symbols;
}

/** Whether a symbol is an error of OpenSSL, or of the check of a certificate. */
function isTlsError(symbol: string): boolean {
  return (
    symbol.startsWith("ERR_SSL") ||
    symbol.startsWith("ERR_TLS") ||
    symbol.startsWith("ERR_OSSL") ||
    symbol.startsWith("CERT_") ||
    symbol.includes("SELF_SIGNED") ||
    symbol.includes("UNABLE_TO_")
  );
}
