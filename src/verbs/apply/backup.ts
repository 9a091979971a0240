import { jsonText } from "../../document/json-text.js";
import { tableMembers } from "../../document/write.js";
import type { Existing } from "../../plan/compare.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { writeAtomically } from "../../system/atomic-file.js";
import { toBytes } from "../text.js";

/**
 * Writes all that can be set to a file that `restore` reads. Real servers stand the oldest first: added in this order,
 * the kernel has them in the order in which it has them now, which schedulers such as sh go by.
 *
 * @throws {OutputFailed}
 */
export async function writeBackup(
  path: string,
  client: IpvsClient,
  { services, timeouts, daemons }: Existing,
): Promise<void> {
  const table = {
    services: services.map((service) => ({
      ...service,
      servers: service.servers.toReversed(),
    })),
    timeouts: timeouts ?? (await client.timeouts()),
    daemons: daemons ?? (await client.daemons()),
  };
  writeAtomically(path, toBytes(`${jsonText(tableMembers(table))}\n`));
}
