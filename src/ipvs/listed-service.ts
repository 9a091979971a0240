import type { IpvsClient } from "./client.js";
import type { ServerWithoutStats, ServiceWithoutStats } from "./model.js";
import { chunksOf } from "./chunks.js";
import type { ListedServer, TableFile } from "./table-file.js";

/** A virtual service with what a plain listing shows of its real servers. */
export interface ListedService extends ServiceWithoutStats {
  readonly servers: readonly (ServerWithoutStats | ListedServer)[];
}

/**
 * Virtual services with their real servers, in the order given and some at a time.
 *
 * @param client is asked only for those services whose servers the file does not tell
 * @param file undefined if there is none
 */
export async function* withListedServers(
  client: Pick<IpvsClient, "uncountedServersOf">,
  services: readonly ServiceWithoutStats[],
  file: TableFile | undefined,
): AsyncGenerator<ListedService[]> {
  for (const some of chunksOf(services)) {
    const lists = some.map(({ key }) => file?.serversOf(key));
    const unknown = some.filter((_, i) => !lists[i]).map(({ key }) => key);
    const answers = (await client.uncountedServersOf(unknown)).values();
    yield some.map(({ key, settings }, i) => ({
      key,
      settings,
      servers: lists[i] ?? answers.next().value ?? [],
    }));
  }
}
