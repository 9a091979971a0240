import { isAnswer, type Reply } from "../../lab/http.js";
import type { Caller } from "../../traffic/caller.js";

/** What a client got that made requests all the time. */
export interface Load {
  /** How many requests were made, and which hosts answered */
  readonly requests: number;
  readonly servers: ReadonlySet<string>;
  /** Those without an answer */
  readonly failures: readonly string[];
}

/** So many requests go to the client at a time. */
const PORTION = 5;
/** A machine that has much else to do may be slow, but not so slow. */
const PATIENCE_SECONDS = 20;

/**
 * Has a client make requests, each on a new connection, while something goes on.
 *
 * @param act is given what the client has got so far
 */
export async function underLoad(
  client: Caller,
  url: string,
  act: (load: Load) => Promise<void>,
): Promise<Load> {
  const load = {
    requests: 0,
    servers: new Set<string>(),
    failures: [] as string[],
  };
  let over = false;
  const take = (reply: Reply) => {
    load.requests++;
    if (isAnswer(reply)) load.servers.add(reply.server);
    else load.failures.push(reply.failure);
  };
  const requests = async () => {
    while (!over)
      (
        await client.get(url, {
          count: PORTION,
          patienceSeconds: PATIENCE_SECONDS,
        })
      ).forEach(take);
  };
  const work = async () => {
    try {
      await act(load);
    } finally {
      over = true;
    }
  };
  await Promise.all([work(), requests()]);
  return load;
}
