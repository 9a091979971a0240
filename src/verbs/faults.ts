import {
  AmbiguousSelector,
  SelectorFault,
  UnknownSelected,
} from "../grammar/selector.js";
import {
  AnswerLost,
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
import { EXIT } from "./row.js";
import { clean } from "./text.js";

/** The command line of a verb is at fault. */
export class UsedWrong extends Error {
  override readonly name = "UsedWrong";

  /**
   * @param fault what is wrong, without control characters
   * @param verb whose help tells more; undefined if there is none
   * @param suggestion what was meant, probably
   */
  constructor(
    readonly fault: string,
    readonly verb?: string,
    readonly suggestion?: string,
  ) {
    super(fault);
  }
}

/** What a verb looked at is wrong, in one line; `advice` is what to do about it. */
export class FoundWrong extends Error {
  override readonly name = "FoundWrong";

  constructor(
    readonly fault: string,
    readonly advice?: string,
    readonly status: number = EXIT.wrong,
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
  if (error instanceof UsedWrong) return usedWrong(error);
  if (error instanceof FoundWrong)
    return { fault: error.fault, advice: error.advice, status: error.status };
  if (error instanceof SelectorFault)
    return { fault: error.message, advice: error.advice, status: EXIT.misused };
  if (error instanceof UnknownSelected || error instanceof AmbiguousSelector)
    return { fault: error.message, advice: error.advice, status: EXIT.wrong };
  if (error instanceof IpvsUnavailable || error instanceof SocketFault)
    return unreachable(error);
  if (error instanceof KernelRefusal)
    return refused(spoken(error.command, error.subject), error);
  if (error instanceof NetworkRefusal) return refused(error.asked, error);
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
  if (error instanceof AnswerLost)
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
      `cannot write ${clean(error.path)}: ${symbolText(error.code)}`,
      error.existed ? "what was in the file before stands" : undefined,
    );
  if (error instanceof LockHeld) return locked(error);
  if (error instanceof LockFailed)
    return {
      fault: `cannot lock the table with ${clean(error.path)}: ${symbolText(error.code)}`,
      advice:
        error.code === "EACCES"
          ? "run it as root, or where it may write there"
          : undefined,
      status: error.code === "EACCES" ? EXIT.unavailable : EXIT.wrong,
    };
  return undefined;
}

function locked({ path, holder }: LockHeld): Explanation {
  if (!holder)
    return wrong(
      `${clean(path)} is no lock of ours: nothing was changed`,
      "look whose it is, and remove it if it is nobody's",
    );
  const { pid, verb, visible } = holder;
  if (visible)
    return wrong(
      `'ipvsadm ${verb}' is changing the table (process ${pid}): nothing was changed`,
      "wait until it has ended",
    );
  return wrong(
    `'ipvsadm ${verb}' is changing the table in another container (process ${pid} there), as ${clean(path)} says: nothing was changed`,
    "wait until it has ended; if that container or process has ended already, remove the file",
  );
}

function wrong(fault: string, advice: string | undefined): Explanation {
  return { fault, advice, status: EXIT.wrong };
}

function usedWrong({ fault, verb, suggestion }: UsedWrong): Explanation {
  const help =
    verb === undefined
      ? "'ipvsadm help' lists the verbs"
      : `see 'ipvsadm ${verb} --help'`;
  const advice =
    suggestion === undefined ? help : `did you mean ${suggestion}? ${help}`;
  return { fault, advice, status: EXIT.misused };
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
  return { fault, advice, status: barred ? EXIT.unavailable : EXIT.wrong };
}

function spoken(command: string, subject: string): string {
  const words = command.replaceAll("-", " ");
  return subject === "" ? words : `${words} ${subject}`;
}
