import type { IpvsClient } from "./client.js";
import type { ServerSummary, ServiceSummary } from "./model.js";
import { serviceChunks } from "./service-chunks.js";
import type { ListedServer, TableFile } from "./table-file.js";

/** A virtual service with the server data that a plain listing shows. */
export interface ListedService extends ServiceSummary {
  readonly servers: readonly (ServerSummary | ListedServer)[];
}

/**
 * Adds the real servers to virtual services, chunk by chunk, in the order given.
 *
 * @param client is asked only for services whose servers `file` does not have
 * @param file /proc/net/ip_vs; undefined if it cannot be read
 */
export async function* withListedServers(
  client: Pick<IpvsClient, "serverSummariesOf">,
  services: readonly ServiceSummary[],
  file: TableFile | undefined,
): AsyncGenerator<ListedService[]> {
  for (const some of serviceChunks(services)) {
    const lists = some.map(({ key }) => file?.serversOf(key));
    const unknown = some.filter((_, i) => !lists[i]).map(({ key }) => key);
    const answers = (await client.serverSummariesOf(unknown)).values();
    yield some.map(({ key, settings }, i) => ({
      key,
      settings,
      servers: lists[i] ?? answers.next().value ?? [],
    }));
  }
}
