/** The signals that end a process which has nothing to say against it, and that a process can catch. */
export const ENDING_SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGTERM: 15,
} as const;

export type EndingSignal = keyof typeof ENDING_SIGNALS;

/** What a shell reports of a process that a signal ended. */
export function statusOf(signal: EndingSignal): number {
  return 128 + ENDING_SIGNALS[signal];
}

/**
 * From here on, a signal that would end the process is told instead: it has something to finish, or to say.
 *
 * @returns lets the signals do again what they usually do
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
