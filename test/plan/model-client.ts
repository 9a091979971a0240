import { subjectOf, type Change } from "../../src/ipvs/change.js";
import { ReplyLost, KernelRefusal } from "../../src/ipvs/errors.js";
import type { Changeable } from "../../src/plan/sender.js";
import type { SocketFault } from "../../src/netlink/errors.js";
import type { ModelKernel } from "./model-kernel.js";

/** What goes wrong with a change: an errno is a refusal; of a lost answer the change was carried out, or not. */
export type Trouble = number | "carried out, answer lost" | "answer lost";

export interface ModelClient extends Changeable {
  /** All changes that were asked for, a list a call */
  readonly asked: (readonly Change[])[];
}

/**
 * A client of a model.
 *
 * @param trouble is asked for every change
 * @param broken a fault of the socket that ends a call, after some of its changes were carried out
 */
export function clientOf(
  kernel: ModelKernel,
  trouble: (change: Change) => Trouble | undefined = () => undefined,
  broken: (
    call: number,
  ) => { fault: SocketFault; after: number } | undefined = () => undefined,
): ModelClient {
  const asked: (readonly Change[])[] = [];
  const table = () => Promise.resolve([...kernel.existing.services]);

  function outcome(change: Change): KernelRefusal | ReplyLost | undefined {
    const what = trouble(change);
    const subject = subjectOf(change);
    if (typeof what === "number")
      return new KernelRefusal(what, change.command, subject);
    if (what === "answer lost") return new ReplyLost(change.command, subject);
    const errno = kernel.carryOut(change);
    if (what === "carried out, answer lost")
      return new ReplyLost(change.command, subject);
    return errno === undefined
      ? undefined
      : new KernelRefusal(errno, change.command, subject);
  }

  return {
    asked,
    table,
    steadyTable: table,
    timeouts: () => Promise.resolve(kernel.existing.timeouts),
    daemons: () => Promise.resolve([...kernel.existing.daemons]),
    apply(changes) {
      asked.push(changes);
      const fault = broken(asked.length);
      if (!fault) return Promise.resolve(changes.map(outcome));
      changes.slice(0, fault.after).forEach(outcome);
      return Promise.reject(fault.fault);
    },
  };
}
