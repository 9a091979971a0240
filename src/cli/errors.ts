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
import { LockFailed, LockHeld } from "../system/lock.js";
import { EXIT } from "./exit-status.js";
import { escapeControls } from "./escape.js";

/** The command line of a subcommand is at fault. */
export class UsageError extends Error {
  override readonly name = "UsageError";

  /**
   * @param fault what is wrong, without control characters
   * @param subcommand whose help tells more; undefined if there is none
   * @param suggestion what was meant, probably
   */
  constructor(
    readonly fault: string,
    readonly subcommand?: string,
    readonly suggestion?: string,
  ) {
    super(fault);
  }
}

/** What a subcommand looked at is wrong, in one line; `advice` is what to do about it. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  constructor(
    readonly fault: string,
    readonly advice?: string,
    readonly status: number = EXIT.failed,
  ) {
    super(fault);
  }
}

/** An error as its reader gets it: what was attempted and why it failed, what to do next, the exit status. */
export interface Explanation {
  readonly fault: string;
  readonly advice: string | undefined;
  readonly status: number;
}

/** Explains an error that is to be expected; undefined for any other, which is a bug. */
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
    return refused(spoken(error.command, error.subject), error);
  if (error instanceof NetworkRefusal) return refused(error.operation, error);
  if (error instanceof TableUnsteady)
    return wrong(
      `cannot read the table: it changed each of ${error.attempts} times`,
      error.advice,
    );
  if (error instanceof TableChanged)
    return wrong(
      "somebody else changed the table meanwhile, so nothing was changed",
      "try again",
    );
  if (error instanceof ReplyLost)
    return wrong(
      `the answer to ${spoken(error.command, error.subject)} was lost, so it may have been carried out or not`,
      error.advice,
    );
  if (error instanceof MalformedReply)
    return wrong(
      `cannot read the kernel's answer: ${error.fault} (at byte ${error.offset})`,
      error.advice,
    );
  if (error instanceof InputFailed)
    return wrong(
      `cannot read the input: ${symbolText(error.message)}`,
      undefined,
    );
  if (error instanceof OutputFailed)
    return wrong(
      `cannot write ${escapeControls(error.path)}: ${symbolText(error.code)}`,
      error.existed ? "what was in the file before stands" : undefined,
    );
  if (error instanceof LockHeld) return locked(error);
  if (error instanceof LockFailed)
    return {
      fault: `cannot lock the table with ${escapeControls(error.path)}: ${symbolText(error.code)}`,
      advice:
        error.code === "EACCES"
          ? "run it as root, or where it may write there"
          : undefined,
      status: error.code === "EACCES" ? EXIT.unavailable : EXIT.failed,
    };
  return undefined;
}

function locked({ path, holder }: LockHeld): Explanation {
  if (!holder)
    return wrong(
      `${escapeControls(path)} is no lock of ours: nothing was changed`,
      "look whose it is, and remove it if it is nobody's",
    );
  const { pid, subcommand, visible } = holder;
  if (visible)
    return wrong(
      `'ipvsadm ${subcommand}' is changing the table (process ${pid}): nothing was changed`,
      "wait until it has ended",
    );
  return wrong(
    `'ipvsadm ${subcommand}' is changing the table in another container (process ${pid} there), as ${escapeControls(path)} says: nothing was changed`,
    "wait until it has ended; if that container or process has ended already, remove the file",
  );
}

function wrong(fault: string, advice: string | undefined): Explanation {
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

/** There is no way to IPVS, or it is closed to us. */
function unreachable(error: IpvsUnavailable | SocketFault): Explanation {
  const { errno } = error;
  const at = error instanceof SocketFault ? `${error.call}: ` : "";
  const fault = `cannot reach IPVS in the kernel: ${at}${errnoText(errno)}`;
  return { fault, advice: error.advice, status: EXIT.unavailable };
}

/** @param asked what was refused, behind "cannot" */
function refused(
  asked: string,
  { errno, explanation, advice }: KernelRefusal | NetworkRefusal,
): Explanation {
  const own = explanation === undefined ? "" : ` (${explanation})`;
  const fault = `cannot ${asked}: ${errnoText(errno)}${own}`;
  const barred = errno === EPERM || errno === EACCES;
  return { fault, advice, status: barred ? EXIT.unavailable : EXIT.failed };
}

function spoken(command: string, subject: string): string {
  const words = command.replaceAll("-", " ");
  return subject === "" ? words : `${words} ${subject}`;
}
