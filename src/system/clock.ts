/** Time, relative to an arbitrary moment. */
export interface Clock {
  /** Milliseconds since an arbitrary moment; never decreases */
  readonly now: () => number;
  /**
   * Calls a function periodically. Does not keep the process alive.
   *
   * @returns a function that stops the calls
   */
  every(milliseconds: number, act: () => void): () => void;
  /** Waits. Returns early if the signal is triggered. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now() {
    const [seconds, nanoseconds] = process.hrtime(); // `performance` would have to be loaded first
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
