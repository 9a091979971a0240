import { lstatSync } from "node:fs";
import { jsonText } from "../../document/json-text.js";
import { tableMembers } from "../../document/write-table.js";
import type { Existing } from "../../plan/compare.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { writeAtomically } from "../../system/atomic-file.js";
import { CommandError } from "../../cli/errors.js";
import { oldestFirst } from "../../ipvs/server-order.js";
import { escapeControls, toBytes } from "../../cli/escape.js";

/**
 * The backup that is there already is likely the one that is needed: the same command once more would replace the
 * table before by a table half-way.
 *
 * @throws {CommandError} when there is something of that name
 */
export function checkBackup(path: string): void {
  if (!isThere(path)) return;
  throw new CommandError(
    `the backup ${escapeControls(path)} is there already: nothing was changed`,
    "name another file, or remove it if nobody needs it any more",
  );
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // writing it will say why
  }
}

/**
 * Writes all that can be set to a file that `restore` reads. Real servers stand the oldest first.
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
      servers: oldestFirst(service.servers),
    })),
    timeouts: timeouts ?? (await client.timeouts()),
    daemons: daemons ?? (await client.daemons()),
  };
  writeAtomically(path, toBytes(`${jsonText(tableMembers(table))}\n`));
}
