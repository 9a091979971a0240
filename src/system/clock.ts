/** Time, as long as a run lasts. */
export interface Clock {
  /** Milliseconds since some moment; never goes back */
  readonly now: () => number;
  /**
   * Has something done again and again; it keeps no process alive.
   *
   * @returns ends that
   */
  every(milliseconds: number, act: () => void): () => void;
  /** Waits; comes back early when the signal is given. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now() {
    const [seconds, nanoseconds] = process.hrtime(); // `performance` would be loaded first
    return seconds * 1000 + nanoseconds / 1e6;
  },
  every(milliseconds, act) {
    const timer = setInterval(act, milliseconds);
    timer.unref();
    return () => {
      clearInterval(timer);
    };
  },
  sleep(milliseconds, signal) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const timer = setTimeout(wake, signal.aborted ? 0 : milliseconds);
      signal.addEventListener("abort", wake);
    });
  },
};
