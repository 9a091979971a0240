import { isAnswer, type Reply } from "../../lab/http.js";
import type { Caller } from "../../traffic/caller.js";

/** The results of a client that makes requests continuously. */
export interface Load {
  /** The number of requests, and the servers that answered */
  readonly requests: number;
  readonly servers: ReadonlySet<string>;
  /** Requests without an answer */
  readonly failures: readonly string[];
}

/** Requests per call of the client. */
const CHUNK = 5;
/** Enough for a heavily loaded machine. */
const PATIENCE_SECONDS = 30;

/**
 * Lets a client make requests, each over a new connection, while a function runs.
 *
 * @param act gets the results so far
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
          count: CHUNK,
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
