import type { FleetReport } from "../../../fleet/fleet-report.js";
import { SharedAnswer } from "../../../http/shared-answer.js";
import type { Clock } from "../../../system/clock.js";

/** How long a reading is used again. */
const FRESH_MILLISECONDS = 5000;

/** The fleet is also read if nobody asks, so that there is a recent state when the store is lost. */
const UNASKED_MILLISECONDS = 30_000;

/** A state of the fleet, and when it was read. */
export interface FleetReading {
  readonly report: FleetReport;
  readonly date: Date;
  /** The same moment on the clock of the view */
  readonly milliseconds: number;
}

/** What is known of the fleet. */
export interface FleetKnowledge {
  /** The last reading that succeeded; undefined if there was none */
  readonly last: FleetReading | undefined;
  /** Why the fleet could not be read just now */
  readonly fault: string | undefined;
}

/** Reads the fleet for all who ask, and keeps the last state if the store is lost. */
export class FleetView implements Disposable {
  readonly #shared: SharedAnswer<FleetKnowledge>;
  readonly #stop: () => void;
  readonly #clock: Clock;
  #last: FleetReading | undefined;

  /** @param explain an expected error in words; undefined for a bug */
  constructor(
    read: () => Promise<FleetReport>,
    explain: (error: unknown) => string | undefined,
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#shared = new SharedAnswer(
      async () => {
        try {
          this.#last = {
            report: await read(),
            date: new Date(),
            milliseconds: clock.now(),
          };
          return { last: this.#last, fault: undefined };
        } catch (error) {
          const fault = explain(error);
          if (fault === undefined) throw error;
          return { last: this.#last, fault };
        }
      },
      FRESH_MILLISECONDS,
      clock,
    );
    this.#stop = clock.every(UNASKED_MILLISECONDS, () => {
      this.get().catch(() => undefined); // whoever asks is told
    });
  }

  /** What is known now. @throws errors that are bugs */
  get(): Promise<FleetKnowledge> {
    return this.#shared.get();
  }

  /** How old a state is, in whole seconds. */
  ageSeconds({ milliseconds }: FleetReading): number {
    return Math.round((this.#clock.now() - milliseconds) / 1000);
  }

  [Symbol.dispose](): void {
    this.#stop();
  }
}
