import { CommandError, explain } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import { MalformedDocument } from "../../document/parsed-document.js";
import { RollbackIncomplete } from "../../fleet/agent/apply-table.js";
import { RolloutError } from "../../fleet/rollout/rollout.js";
import {
  ContendedKey,
  RevisionError,
  StoreRecordFault,
} from "../../fleet/fleet-error.js";
import { PlanFailed } from "../../plan/plan-failed.js";
import { explainFailure } from "../apply/explain-failure.js";
import { StoreError, type StoreFailure } from "../../store/store-error.js";

interface Words {
  readonly fault: string;
  readonly advice?: string | undefined;
  readonly status?: number;
}

/** What each failure of the store means, and what to do. */
const STORE: Readonly<
  Record<StoreFailure, (detail: string, endpoints: string) => Words>
> = {
  unreachable: (detail, endpoints) => ({
    fault: `cannot reach etcd at ${endpoints}: ${detail}`,
    advice: "check --endpoints and that etcd is running",
    status: EXIT.unavailable,
  }),
  "outcome-unknown": (detail) => ({
    fault: `the answer of etcd was lost (${detail}): the change may or may not have been made`,
    advice: "look with 'ipvsadm fleet status' or 'ipvsadm fleet history'",
  }),
  "no-leader": () => ({
    fault: "etcd has no leader: too few of its members are running",
    status: EXIT.unavailable,
  }),
  denied: () => ({
    fault: "etcd refuses this user: permission denied",
    advice: "'ipvsadm fleet init' creates the roles",
    status: EXIT.unavailable,
  }),
  unauthenticated: (detail) => ({
    fault: `etcd does not know this user: ${detail}`,
    advice: "give --cert and --key, or --user and --password-file",
    status: EXIT.unavailable,
  }),
  untrusted: (detail, endpoints) => ({
    fault: `no TLS connection to etcd at ${endpoints}: ${detail}`,
    advice: "check --cacert, --cert and --key",
    status: EXIT.unavailable,
  }),
  compacted: (detail) => ({
    fault: `etcd has dropped the history that was asked for (${detail})`,
    advice: "try again",
  }),
  "no-lease": () => ({ fault: "the lease has ended", advice: "try again" }),
  "too-large": () => ({
    fault: "etcd refuses the request: it is too large",
    advice: "raise etcd's --max-request-bytes, or split the table",
  }),
  "no-space": () => ({
    fault: "etcd refuses writes: its disk quota is used up",
    advice:
      "compact and defragment etcd, then 'etcdctl alarm disarm'; run it with --auto-compaction-retention=1h",
  }),
  aborted: () => ({ fault: "interrupted" }),
  other: (detail) => ({ fault: `etcd: ${detail}` }),
};

/** Explains an expected error of fleet; undefined for any other error. */
export function fleetWords(
  error: unknown,
  endpoints: readonly string[],
): Words | undefined {
  if (error instanceof StoreError)
    return STORE[error.kind](error.detail, endpoints.join(", "));
  if (error instanceof StoreRecordFault)
    return {
      fault: `malformed record ${error.key}: ${error.fault}`,
      advice: "another program or a newer version wrote it",
    };
  if (error instanceof ContendedKey)
    return {
      fault: `others changed ${error.key} at the same time, ${error.attempts} times: gave up, nothing was changed`,
      advice: "try again; 'fleet rollout NAME resume' continues a rollout",
    };
  if (error instanceof RolloutError)
    return { fault: error.detail, advice: error.advice };
  if (error instanceof RevisionError) return revisionWords(error);
  if (error instanceof MalformedDocument)
    return { fault: `malformed table: ${error.message}` };
  if (error instanceof RollbackIncomplete) {
    const why = fleetWords(error.cause, endpoints)?.fault ?? "interrupted";
    return {
      fault: `${why}; ${error.remaining} changes could not be rolled back`,
    };
  }
  if (error instanceof PlanFailed) {
    const words = explainFailure(error);
    if (words) return { ...words, fault: `${words.fault}; rolled back` };
    const { cause } = error;
    return cause instanceof Error && cause.name === "AbortError"
      ? { fault: "interrupted; rolled back" }
      : undefined;
  }
  return explain(error);
}

function revisionWords({ kind, detail }: RevisionError): Words {
  switch (kind) {
    case "head-moved":
      return {
        fault: `${detail}; nothing was published`,
        advice: "look at the newest revision, then publish again",
      };
    case "empty":
      return {
        fault: `${detail}; nothing was changed`,
        advice: "to remove all services, publish with --allow-empty",
      };
    case "removes-too-much":
      return {
        fault: `${detail}; nothing was changed`,
        advice: "if this is intended, publish with --force",
      };
    case "no-table":
      return {
        fault: detail,
        advice: "'ipvsadm fleet publish' creates a table",
      };
    case "no-revision":
      return {
        fault: detail,
        advice: "'ipvsadm fleet history' lists the revisions",
      };
    case "too-large":
      return {
        fault: `${detail}; nothing was published`,
        advice: "divide the services among several tables and directors",
      };
    case "damaged":
      return { fault: detail };
  }
}

/** The error for the command line. Unexpected errors stay what they are. */
export function asCommandError(
  error: unknown,
  endpoints: readonly string[],
): unknown {
  const words = fleetWords(error, endpoints);
  if (!words || error instanceof CommandError) return error;
  return new CommandError(words.fault, words.advice, words.status);
}

/** What is wrong, as one line; undefined for a bug. */
export function fleetLine(
  error: unknown,
  endpoints: readonly string[],
): string | undefined {
  return fleetWords(error, endpoints)?.fault;
}
