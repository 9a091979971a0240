import { MalformedReply, SocketFault } from "../netlink/errors.js";
import type { Change } from "../ipvs/change.js";
import type { IpvsClient } from "../ipvs/client.js";
import { ReplyLost, type KernelRefusal } from "../ipvs/errors.js";
import { Outcome } from "./outcome.js";
import { readExisting, type Parts, type Readable } from "./snapshot.js";

/** The calls that it takes to change a table and to look at it. */
export type Changeable = Readable & Pick<IpvsClient, "apply">;

/**
 * What became of a change: it was carried out; it was not, and why; or nobody knows, for the way to the kernel broke
 * and there is no other.
 */
export type Fate =
  | { readonly kind: "done" }
  | {
      readonly kind: "failed" | "unknown";
      readonly failure:
        KernelRefusal | ReplyLost | SocketFault | MalformedReply;
    };

const DONE: Fate = { kind: "done" };

/** Sends changes, and finds out by looking at the table what became of those whose answer was lost. */
export class Sender {
  #client: Changeable;
  readonly #parts: Parts;
  readonly #reopen: (() => Promise<Changeable>) | undefined;
  /** Why the client is of no further use */
  #broken: SocketFault | MalformedReply | undefined;

  /** @param reopen gives another client when the socket of the first has failed */
  constructor(
    client: Changeable,
    parts: Parts,
    reopen: (() => Promise<Changeable>) | undefined,
  ) {
    this.#client = client;
    this.#parts = parts;
    this.#reopen = reopen;
  }

  /** Has changes carried out in their order; one that fails keeps none of the others from it. */
  async send(changes: readonly Change[]): Promise<Fate[]> {
    const answers = await this.#answers(changes);
    const now = answers.some((answer) => isLost(answer))
      ? await this.#look()
      : undefined;
    return changes.map((change, i) => {
      const failure = answers[i];
      if (!failure) return DONE;
      if (!isLost(failure)) return { kind: "failed", failure };
      if (!now) return { kind: "unknown", failure };
      return now.shows(change) ? DONE : { kind: "failed", failure };
    });
  }

  async #answers(
    changes: readonly Change[],
  ): Promise<(Extract<Fate, { failure: unknown }>["failure"] | undefined)[]> {
    try {
      return await this.#client.apply(changes);
    } catch (error) {
      if (!(error instanceof SocketFault || error instanceof MalformedReply))
        throw error;
      this.#broken = error;
      return changes.map(() => error);
    }
  }

  /** What the kernel has now, by another way if the first is broken; undefined where there is none. */
  async #look(): Promise<Outcome | undefined> {
    try {
      if (this.#broken) {
        if (!this.#reopen) return undefined;
        this.#client = await this.#reopen();
        this.#broken = undefined;
      }
      return new Outcome(
        await readExisting(this.#client, this.#parts, "steady"),
      );
    } catch {
      return undefined;
    }
  }
}

/** Whether an answer does not tell what became of a change. */
function isLost(answer: object | undefined): boolean {
  return (
    answer instanceof ReplyLost ||
    answer instanceof SocketFault ||
    answer instanceof MalformedReply
  );
}
