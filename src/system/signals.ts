/** The signals that end a process by default and can be caught. */
export const ENDING_SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGTERM: 15,
} as const;

export type EndingSignal = keyof typeof ENDING_SIGNALS;

/** The exit status that a shell reports for a process ended by a signal. */
export function statusOf(signal: EndingSignal): number {
  return 128 + ENDING_SIGNALS[signal];
}

/**
 * Catches the signals that would end the process, so that it can finish its work.
 *
 * @returns a function that restores the default
 */
export function catchSignals(
  listen: (signal: EndingSignal) => void,
): () => void {
  const caught = (signal: NodeJS.Signals) => {
    listen(signal as EndingSignal);
  };
  const signals = Object.keys(ENDING_SIGNALS) as EndingSignal[];
  for (const signal of signals) process.on(signal, caught);
  return () => {
    for (const signal of signals) process.off(signal, caught);
  };
}
