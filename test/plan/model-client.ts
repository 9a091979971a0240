import { subjectOf, type Change } from "../../src/ipvs/change.js";
import { ReplyLost, KernelRefusal } from "../../src/ipvs/errors.js";
import type { PlanClient } from "../../src/plan/change-sender.js";
import type { SocketFault } from "../../src/netlink/errors.js";
import type { ModelKernel } from "./model-kernel.js";

/** A failure to simulate: a refusal with this errno, or a lost answer to a change that was made, or was not. */
export type Trouble = number | "carried out, answer lost" | "answer lost";

export interface ModelClient extends PlanClient {
  /** The changes of each call of apply() */
  readonly asked: (readonly Change[])[];
}

/**
 * A client of a model kernel.
 *
 * @param trouble returns the failure to simulate for a change
 * @param broken returns a socket error for a call, and how many of its changes are made before
 */
export function clientOf(
  kernel: ModelKernel,
  trouble: (change: Change) => Trouble | undefined = () => undefined,
  broken: (
    call: number,
  ) => { fault: SocketFault; after: number } | undefined = () => undefined,
): ModelClient {
  const asked: (readonly Change[])[] = [];
  const table = () => Promise.resolve([...kernel.current.services]);

  function outcome(change: Change): KernelRefusal | ReplyLost | undefined {
    const what = trouble(change);
    const subject = subjectOf(change);
    if (typeof what === "number")
      return new KernelRefusal(what, change.command, subject);
    if (what === "answer lost") return new ReplyLost(change.command, subject);
    const errno = kernel.apply(change);
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
    timeouts: () => Promise.resolve(kernel.current.timeouts),
    daemons: () => Promise.resolve([...kernel.current.daemons]),
    apply(changes) {
      asked.push(changes);
      const fault = broken(asked.length);
      if (!fault) return Promise.resolve(changes.map(outcome));
      changes.slice(0, fault.after).forEach(outcome);
      return Promise.reject(fault.fault);
    },
  };
}
