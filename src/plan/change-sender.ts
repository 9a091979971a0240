import { MalformedReply, SocketFault } from "../netlink/errors.js";
import type { Change } from "../ipvs/change.js";
import type { IpvsClient } from "../ipvs/client.js";
import { ReplyLost, type KernelRefusal } from "../ipvs/errors.js";
import { ChangesInEffect } from "./changes-in-effect.js";
import {
  readCurrentState,
  type StateParts,
  type StateClient,
} from "./current-state.js";

/** The client's calls that read and change the table. */
export type PlanClient = StateClient & Pick<IpvsClient, "apply">;

/**
 * The outcome of a change: carried out, failed, or unknown. It is unknown if the socket failed and no new one could be
 * opened to look at the table.
 */
export type ChangeOutcome =
  | { readonly kind: "done" }
  | {
      readonly kind: "failed" | "unknown";
      readonly failure:
        KernelRefusal | ReplyLost | SocketFault | MalformedReply;
    };

const DONE: ChangeOutcome = { kind: "done" };

/** Sends changes. If an answer is lost, it reads the table to find out whether the change was made. */
export class ChangeSender {
  #client: PlanClient;
  readonly #parts: StateParts;
  readonly #reopen: (() => Promise<PlanClient>) | undefined;
  /** The error that made the client unusable */
  #broken: SocketFault | MalformedReply | undefined;

  /** @param reopen opens a new client after the socket of the first one failed */
  constructor(
    client: PlanClient,
    parts: StateParts,
    reopen: (() => Promise<PlanClient>) | undefined,
  ) {
    this.#client = client;
    this.#parts = parts;
    this.#reopen = reopen;
  }

  /** Sends changes in order. A failed change does not stop the others. */
  async send(changes: readonly Change[]): Promise<ChangeOutcome[]> {
    const answers = await this.#answers(changes);
    const now = answers.some((answer) => isLost(answer))
      ? await this.#readTable()
      : undefined;
    return changes.map((change, i) => {
      const failure = answers[i];
      if (!failure) return DONE;
      if (!isLost(failure)) return { kind: "failed", failure };
      if (!now) return { kind: "unknown", failure };
      return now.has(change) ? DONE : { kind: "failed", failure };
    });
  }

  async #answers(
    changes: readonly Change[],
  ): Promise<
    (Extract<ChangeOutcome, { failure: unknown }>["failure"] | undefined)[]
  > {
    try {
      return await this.#client.apply(changes);
    } catch (error) {
      if (!(error instanceof SocketFault || error instanceof MalformedReply))
        throw error;
      this.#broken = error;
      return changes.map(() => error);
    }
  }

  /** Reads the current state, over a new client if the first one is broken; undefined if that fails. */
  async #readTable(): Promise<ChangesInEffect | undefined> {
    try {
      if (this.#broken) {
        if (!this.#reopen) return undefined;
        this.#client = await this.#reopen();
        this.#broken = undefined;
      }
      return new ChangesInEffect(
        await readCurrentState(this.#client, this.#parts, "steady"),
      );
    } catch {
      return undefined;
    }
  }
}

/** Whether an answer leaves open if the change was made. */
function isLost(answer: object | undefined): boolean {
  return (
    answer instanceof ReplyLost ||
    answer instanceof SocketFault ||
    answer instanceof MalformedReply
  );
}
