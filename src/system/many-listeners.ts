import { setMaxListeners } from "node:events";

/** Lets any number of calls listen to a signal at the same time. By default, Node.js warns of the eleventh: it may be a leak. */
export function allowManyListeners(signal: AbortSignal): void {
  setMaxListeners(0, signal);
}
