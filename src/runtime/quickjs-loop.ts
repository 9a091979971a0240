/*
 * The event loop on QuickJS: timers and readable files. The host calls `turn` when the program has
 * nothing else to do.
 */

interface Timer {
  /** When it is due, in the host's clock */
  due: number;
  /** The period of a repeated timer */
  readonly period: number | undefined;
  readonly act: () => void;
}

const timers = new Set<Timer>();
const readers = new Map<number, () => void>();

/** Calls a function once. */
export function after(milliseconds: number, act: () => void): Timer {
  const timer = { due: host.now() + milliseconds, period: undefined, act };
  timers.add(timer);
  return timer;
}

/**
 * Calls a function periodically. Does not keep the program alive.
 *
 * @returns a function that stops the calls
 */
export function every(milliseconds: number, act: () => void): () => void {
  const due = host.now() + milliseconds;
  const timer = { due, period: milliseconds, act };
  timers.add(timer);
  return () => {
    timers.delete(timer);
  };
}

/** Calls a function whenever an open file is readable. @returns a function that stops the calls */
export function whenReadable(descriptor: number, act: () => void): () => void {
  readers.set(descriptor, act);
  return () => {
    readers.delete(descriptor);
  };
}

/** Waits for the next event and handles it. @returns false if there are no more events */
export function turn(): boolean {
  if (runDueTimers()) return true;
  const next = nextTimer();
  const once = Array.from(timers).some(({ period }) => period === undefined);
  if (readers.size === 0 && !once) return false;
  const wait = next && Math.max(0, Math.ceil(next.due - host.now()));
  const descriptors = Array.from(readers.keys());
  const ready = descriptors[host.poll(descriptors, wait ?? -1)];
  if (ready !== undefined) readers.get(ready)?.();
  return true;
}

function nextTimer(): Timer | undefined {
  let next: Timer | undefined;
  for (const timer of timers) if (!next || timer.due < next.due) next = timer;
  return next;
}

function runDueTimers(): boolean {
  if (timers.size === 0) return false;
  const now = host.now();
  const due = Array.from(timers).filter((timer) => timer.due <= now);
  for (const timer of due) {
    if (timer.period === undefined) timers.delete(timer);
    else timer.due = now + timer.period;
    timer.act();
  }
  return due.length > 0;
}
