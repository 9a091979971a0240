import {
  AmbiguousSelector,
  SelectorFault,
  UnknownSelected,
} from "../grammar/selector.js";
import {
  ReplyLost,
  IpvsUnavailable,
  KernelRefusal,
  TableUnsteady,
} from "../ipvs/errors.js";
import { TableChanged } from "../plan/plan-failed.js";
import { EACCES, EPERM, errnoText, symbolText } from "../netlink/errno.js";
import { MalformedReply, SocketFault } from "../netlink/errors.js";
import { NetworkRefusal } from "../rtnl/errors.js";
import { OutputFailed } from "../system/atomic-file.js";
import { InputFailed } from "../system/files.js";
import { LIBRARY, LockFailed, LockHeld } from "../system/lock.js";
import { EXIT } from "./exit-status.js";
import { escapeControls } from "./escape.js";

/** The command line of a subcommand is wrong. Exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  /**
   * @param fault what is wrong, without control characters
   * @param subcommand the subcommand whose help explains more
   * @param suggestion what the user probably meant
   */
  constructor(
    readonly fault: string,
    readonly subcommand?: string,
    readonly suggestion?: string,
  ) {
    super(fault);
  }
}

/** A subcommand failed for a reason that no other error class describes. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  /**
   * @param fault what is wrong, without control characters
   * @param advice what the user can do about it
   * @param status the exit status
   */
  constructor(
    readonly fault: string,
    readonly advice?: string,
    readonly status: number = EXIT.failed,
  ) {
    super(fault);
  }
}

/** An error in words. */
export interface Explanation {
  /** What was attempted, and why it failed */
  readonly fault: string;
  /** What to do next */
  readonly advice: string | undefined;
  /** The exit status */
  readonly status: number;
}

/** Explains an expected error. Returns undefined for any other error: that is a bug. */
export function explain(error: unknown): Explanation | undefined {
  if (error instanceof UsageError) return usageError(error);
  if (error instanceof CommandError)
    return { fault: error.fault, advice: error.advice, status: error.status };
  if (error instanceof SelectorFault)
    return { fault: error.message, advice: error.advice, status: EXIT.usage };
  if (error instanceof UnknownSelected || error instanceof AmbiguousSelector)
    return { fault: error.message, advice: error.advice, status: EXIT.failed };
  if (error instanceof IpvsUnavailable || error instanceof SocketFault)
    return unreachable(error);
  if (error instanceof KernelRefusal)
    return refused(inWords(error.command, error.subject), error);
  if (error instanceof NetworkRefusal) return refused(error.operation, error);
  if (error instanceof TableUnsteady)
    return failed(
      `cannot read the table: it changed during each of ${error.attempts} attempts`,
      error.advice,
    );
  if (error instanceof TableChanged)
    return failed(
      "another program changed the table in the meantime: nothing was changed",
      "try again",
    );
  if (error instanceof ReplyLost)
    return failed(
      `the kernel's reply to "${inWords(error.command, error.subject)}" was lost: the change may or may not have been made`,
      error.advice,
    );
  if (error instanceof MalformedReply)
    return failed(
      `malformed reply from the kernel: ${error.fault} (at byte ${error.offset})`,
      error.advice,
    );
  if (error instanceof InputFailed)
    return failed(
      `cannot read the input: ${symbolText(error.message)}`,
      undefined,
    );
  if (error instanceof OutputFailed)
    return failed(
      `cannot write ${escapeControls(error.path)}: ${symbolText(error.code)}`,
      error.existed ? "the old file was kept" : undefined,
    );
  if (error instanceof LockHeld) return locked(error);
  if (error instanceof LockFailed)
    return {
      fault: `cannot lock the table with ${escapeControls(error.path)}: ${symbolText(error.code)}`,
      advice:
        error.code === "EACCES"
          ? "run it as root, or make that folder writable"
          : undefined,
      status: error.code === "EACCES" ? EXIT.unavailable : EXIT.failed,
    };
  return undefined;
}

function locked({ path, holder }: LockHeld): Explanation {
  if (!holder)
    return failed(
      `${escapeControls(path)} is not a lock file of ipvsadm: nothing was changed`,
      "find out which program made it, and remove it if none needs it",
    );
  const { pid, subcommand, visible } = holder;
  const program =
    subcommand === LIBRARY
      ? "a program that uses the library"
      : `'ipvsadm ${subcommand}'`;
  if (visible)
    return failed(
      `${program} is changing the table (process ${pid}): nothing was changed`,
      "wait until it ends",
    );
  return failed(
    `${program} is changing the table in another container (process ${pid} there, lock file ${escapeControls(path)}): nothing was changed`,
    "wait until it ends; if that container or process no longer exists, remove the file",
  );
}

function failed(fault: string, advice: string | undefined): Explanation {
  return { fault, advice, status: EXIT.failed };
}

function usageError({
  fault,
  subcommand,
  suggestion,
}: UsageError): Explanation {
  const help =
    subcommand === undefined
      ? "'ipvsadm help' lists the subcommands"
      : `see 'ipvsadm ${subcommand} --help'`;
  const advice =
    suggestion === undefined ? help : `did you mean ${suggestion}? ${help}`;
  return { fault, advice, status: EXIT.usage };
}

/** The kernel has no IPVS, or the caller lacks the permission to use it. */
function unreachable(error: IpvsUnavailable | SocketFault): Explanation {
  const { errno } = error;
  const at = error instanceof SocketFault ? `${error.call}: ` : "";
  const fault = `cannot reach IPVS in the kernel: ${at}${errnoText(errno)}`;
  return { fault, advice: error.advice, status: EXIT.unavailable };
}

/** @param asked what the kernel refused, as the words after "cannot" */
function refused(
  asked: string,
  { errno, explanation, advice }: KernelRefusal | NetworkRefusal,
): Explanation {
  const details = explanation === undefined ? "" : ` (${explanation})`;
  const fault = `cannot ${asked}: ${errnoText(errno)}${details}`;
  const denied = errno === EPERM || errno === EACCES;
  return { fault, advice, status: denied ? EXIT.unavailable : EXIT.failed };
}

/** `add server 10.0.0.11:8080` */
function inWords(command: string, subject: string): string {
  const words = command.replaceAll("-", " ");
  return subject === "" ? words : `${words} ${subject}`;
}
