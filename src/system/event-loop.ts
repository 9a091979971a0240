/** Lets other events be handled, such as requests, keys and signals. Long loops call it between chunks. */
export function nextEventLoopTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
