import type { Pauses } from "../../store/backoff.js";
import { EitherSignal } from "../../store/either-signal.js";
import type { Store } from "../../store/store.js";
import type {
  Examination,
  ExaminationRequest,
  ExaminationResult,
} from "../examination.js";
import type { FleetKeys } from "../keys.js";
import { recordBytes } from "../record.js";

/** A revision that was applied, and what a rollout wants to know of it. */
export interface AskedExamination extends ExaminationRequest {
  readonly revision: number;
}

/** Examines the machine. */
export interface Examiner {
  /** The first examination is done so long after the revision was applied, and the next ones as often */
  readonly intervalMilliseconds: number;
  /** An examination may take so long */
  readonly deadlineMilliseconds: number;
  /** Called when the revision was applied */
  begin(): Promise<void>;
  examine(request: ExaminationRequest): Promise<ExaminationResult>;
}

/** After an examination, the agent pauses for this many times its duration: a large connection table is not read all the time. */
const PAUSE_FACTOR = 3;

const LONGEST_FAULT = 500;
const HOUR_MILLISECONDS = 3_600_000;

export interface ExaminationsEnvironment {
  readonly store: Store;
  readonly keys: FleetKeys;
  readonly director: string;
  readonly examiner: Examiner;
  readonly pauses: Pauses;
  /** The time as ISO 8601 */
  readonly now: () => string;
  /** What to examine at the moment; undefined: nothing */
  readonly asked: () => AskedExamination | undefined;
  /** An expected error in words; undefined for a bug */
  readonly explain: (error: unknown) => string | undefined;
  /** Called for failures of the store. @throws other errors */
  readonly storeFailed: (error: unknown) => void;
}

/** Examines the director as long as a rollout asks for it, and reports what was found. */
export class Examinations {
  readonly #environment: ExaminationsEnvironment;
  #wake = new AbortController();
  /** The examination that is going on, perhaps beyond its deadline */
  #running: Promise<ExaminationResult> | undefined;
  /** What the last begin() was for */
  #begun: string | undefined;
  #beginFault: string | undefined;
  #reported = false;

  constructor(environment: ExaminationsEnvironment) {
    this.#environment = environment;
  }

  /** What is asked for may be different now. */
  wake(): void {
    this.#wake.abort();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { asked, now, pauses, examiner } = this.#environment;
    const { intervalMilliseconds } = examiner;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      using woken = new EitherSignal([signal, this.#wake.signal]);
      const request = asked();
      if (!request) {
        this.#begun = undefined;
        await this.#withdraw(signal);
        // If the store does not answer, the report is removed later.
        await pauses.sleep(
          this.#reported ? intervalMilliseconds : HOUR_MILLISECONDS,
          woken.signal,
        );
        continue;
      }
      const name = nameOf(request);
      if (this.#begun !== name) {
        this.#begun = name;
        await this.#begin();
        await pauses.sleep(intervalMilliseconds, signal);
        continue;
      }
      const started = performance.now();
      const result = await this.#examine(request, signal);
      // The revision may be another one since the examination began.
      if (nameOf(asked()) !== name) continue;
      const { id, revision } = request;
      await this.#report({ ...result, id, revision, at: now() }, signal);
      const took = performance.now() - started;
      await pauses.sleep(
        Math.max(intervalMilliseconds, PAUSE_FACTOR * took),
        signal,
      );
    }
  }

  async #begin(): Promise<void> {
    this.#beginFault = undefined;
    try {
      await this.#environment.examiner.begin();
    } catch (error) {
      this.#beginFault = this.#faultText(error);
    }
  }

  /** A fault of an examination is reported. It does not end the agent, which keeps the table. */
  async #examine(
    request: ExaminationRequest,
    signal: AbortSignal,
  ): Promise<ExaminationResult> {
    const { examiner, pauses } = this.#environment;
    if (this.#beginFault !== undefined) {
      const fault = this.#beginFault;
      await this.#begin();
      return { fault };
    }
    const { deadlineMilliseconds } = examiner;
    using deadline = new EitherSignal([signal]);
    const late = pauses
      .sleep(deadlineMilliseconds, deadline.signal)
      .then(() => ({
        fault: `not done within ${deadlineMilliseconds / 1000} s`,
      }));
    // Only one at a time. The one before may go on after its deadline.
    await Promise.race([this.#running, late]);
    if (this.#running) return await late;
    this.#running = examiner
      .examine(request)
      .catch((error: unknown) => ({ fault: this.#faultText(error) }))
      .finally(() => {
        this.#running = undefined;
      });
    const result = await Promise.race([this.#running, late]);
    deadline.abort();
    return result;
  }

  #faultText(error: unknown): string {
    const text = this.#environment.explain(error) ?? String(error);
    return text.slice(0, LONGEST_FAULT);
  }

  async #report(examination: Examination, signal: AbortSignal): Promise<void> {
    const { store, keys, director, storeFailed } = this.#environment;
    const put = keys.examination(director);
    try {
      await store.commit([], [{ put, value: recordBytes(examination) }], {
        signal,
      });
      this.#reported = true;
    } catch (error) {
      if (!signal.aborted) storeFailed(error);
    }
  }

  /** Removes the report of a rollout that has ended. */
  async #withdraw(signal: AbortSignal): Promise<void> {
    if (!this.#reported) return;
    const { store, keys, director, storeFailed } = this.#environment;
    try {
      await store.commit([], [{ remove: keys.examination(director) }], {
        signal,
      });
      this.#reported = false;
    } catch (error) {
      if (!signal.aborted) storeFailed(error);
    }
  }
}

function nameOf(request: AskedExamination | undefined): string | undefined {
  return request && `${request.id} ${request.revision}`;
}
