/** How to wait for something that the kernel does not announce. */
export interface PollOptions {
  /** Time between two readings, in seconds */
  readonly pollSeconds: number;
  /** Time to wait at most; undefined waits without limit */
  readonly timeoutSeconds?: number | undefined;
  /** Stops waiting early. */
  readonly signal: AbortSignal;
  readonly clock: {
    /** Milliseconds since an arbitrary moment */
    now(): number;
    /** Returns early if the signal is triggered. */
    sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  };
}

/** The result of polling: why it ended, and the last reading. */
export interface PollOutcome<Reading> {
  /**
   * `settled`: the last reading is final. `timeout`: the time is over. `aborted`: the signal was
   * triggered
   */
  readonly end: "settled" | "timeout" | "aborted";
  readonly last: Reading;
  /** How long it took */
  readonly seconds: number;
}

/**
 * Reads again and again until a reading is final. Reads at least once.
 *
 * @param read gets the seconds since the beginning
 * @param leastReadings how many readings to take even if the timeout is shorter
 */
export async function poll<Reading>(
  read: (seconds: number) => Promise<Reading>,
  isFinal: (reading: Reading) => boolean,
  { clock, signal, pollSeconds, timeoutSeconds = Infinity }: PollOptions,
  leastReadings = 1,
): Promise<PollOutcome<Reading>> {
  const began = clock.now();
  const elapsed = () => (clock.now() - began) / 1000;
  for (let readings = 1; ; readings++) {
    const last = await read(elapsed());
    const outcome = (end: PollOutcome<Reading>["end"]) => ({
      end,
      last,
      seconds: elapsed(),
    });
    if (isFinal(last)) return outcome("settled");
    if (signal.aborted) return outcome("aborted");
    const left = timeoutSeconds - elapsed();
    if (left <= 0 && readings >= leastReadings) return outcome("timeout");
    const seconds = left > 0 ? Math.min(pollSeconds, left) : pollSeconds;
    await clock.sleep(seconds * 1000, signal);
  }
}
