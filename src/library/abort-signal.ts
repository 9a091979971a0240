import type { StopSignal } from "./stop-signal.js";

/** The signal as Node.js declares it. Without one: a signal that never stops. */
export function abortSignal(signal: StopSignal | undefined): AbortSignal {
  return (signal as AbortSignal | undefined) ?? new AbortController().signal;
}
