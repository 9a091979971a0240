/** Lets other events be handled, such as requests, keys and signals. Long loops call it between chunks. */
export function nextEventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * Calls a function after a time, and handles first what has arrived on sockets by then: after a pause of the whole process,
 * timers come before sockets.
 *
 * @returns a function that prevents the call
 */
export function callAfter(milliseconds: number, act: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(act);
  }, milliseconds);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}
