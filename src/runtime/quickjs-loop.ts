/*
 * The events of a program on QuickJS: timers, and files that can be read. The host calls `turn` whenever there is
 * nothing else to do.
 */

interface Timer {
  /** When it is due, by the clock of the host */
  due: number;
  /** How often it comes again */
  readonly period: number | undefined;
  readonly act: () => void;
}

const timers = new Set<Timer>();
const readers = new Map<number, () => void>();

/** Has something done once. */
export function after(milliseconds: number, act: () => void): Timer {
  const timer = { due: host.now() + milliseconds, period: undefined, act };
  timers.add(timer);
  return timer;
}

/** Has something done again and again, which keeps no program alive. @returns ends that */
export function every(milliseconds: number, act: () => void): () => void {
  const due = host.now() + milliseconds;
  const timer = { due, period: milliseconds, act };
  timers.add(timer);
  return () => {
    timers.delete(timer);
  };
}

/** Has something done whenever an open file can be read. @returns ends that */
export function whenReadable(descriptor: number, act: () => void): () => void {
  readers.set(descriptor, act);
  return () => {
    readers.delete(descriptor);
  };
}

/** Waits for the next event and lets it happen. @returns false if there is none to come */
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
