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
};
