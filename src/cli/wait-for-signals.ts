import type { Io } from "../runtime/io.js";
import type { Describe, Progress } from "../runtime/progress.js";
import type { EndingSignal } from "../system/signals.js";

/** The signal that ended a wait early; undefined if none did. */
export interface Signaled {
  readonly signal: EndingSignal | undefined;
}

/**
 * Waits for something. Shows the progress if stderr is a terminal. A signal that would end the process ends the wait
 * instead.
 *
 * @param describe the progress, after some seconds
 * @param act waits until `signal` is triggered, and calls `step` when there is progress
 */
export async function waitForSignals<Result extends object>(
  { io, progress }: { readonly io: Io; readonly progress: Progress },
  describe: Describe,
  act: (signal: AbortSignal, step: () => void) => Promise<Result>,
): Promise<Result & Signaled> {
  const abort = new AbortController();
  let signal: EndingSignal | undefined;
  const release = io.catchSignals((caught) => {
    signal ??= caught;
    abort.abort();
  });
  progress.begin(describe);
  try {
    const result = await act(abort.signal, () => {
      progress.step();
    });
    return { ...result, signal };
  } finally {
    progress.end();
    release();
  }
}
