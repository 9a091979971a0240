import type { ExaminationRequest } from "../examination.js";
import type { DirectorReport } from "../fleet-report.js";
import { gateFault, parseGate, requestOf, type Gate } from "./gates.js";
import { RolloutError, type Rollout } from "./rollout.js";

/** Holds the directors of a rollout to its gates. Without gates, every director passes. */
export class GateKeeper {
  readonly #gates: readonly Gate[];
  /** What the directors are asked for */
  readonly request: ExaminationRequest | undefined;
  #judgeFrom = 0n;

  /** @throws {RolloutError} a newer program has stored a gate that this one does not know */
  constructor({ gates = [], at, author }: Rollout) {
    this.#gates = gates.map((text) => {
      const gate = parseGate(text);
      if (gate) return gate;
      throw new RolloutError(
        `the rollout has an unknown gate: ${text}`,
        "continue it with the version of ipvsadm that began it",
      );
    });
    this.request = requestOf(this.#gates, `${at} ${author}`);
  }

  /** Ignores reports from before a revision of the store: an operator may have fixed since what they say. */
  judgeFrom(revision: bigint): void {
    this.#judgeFrom = revision;
  }

  /** Whether a director has reported what it is asked for. */
  hasReport({ examination }: DirectorReport): boolean {
    return (
      !this.request ||
      (examination?.id === this.request.id &&
        examination.written > this.#judgeFrom)
    );
  }

  /** Why a director does not pass; undefined if it does, or has not reported yet. */
  faultOf(director: DirectorReport): string | undefined {
    const { examination } = director;
    if (!this.request || !examination || !this.hasReport(director))
      return undefined;
    return gateFault(this.#gates, examination);
  }

  /** The first of some directors that has not reported again since an earlier reading. */
  withoutNewReport(
    names: ReadonlySet<string>,
    before: readonly DirectorReport[],
    now: readonly DirectorReport[],
  ): string | undefined {
    if (!this.request) return undefined;
    const written = (directors: readonly DirectorReport[], name: string) =>
      directors.find((one) => one.name === name)?.examination?.written ?? 0n;
    return [...names].find(
      (name) =>
        written(now, name) <= written(before, name) ||
        written(now, name) <= this.#judgeFrom,
    );
  }

  missingText(seconds: number): string {
    return `has not reported what the gate asks for within ${seconds} s (does its agent know gates?)`;
  }
}
