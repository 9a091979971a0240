import { lstatSync } from "node:fs";
import { jsonText } from "../../document/json-text.js";
import { tableMembers } from "../../document/write-table.js";
import type { CurrentState } from "../../plan/current-state.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { writeAtomically } from "../../system/atomic-file.js";
import { CommandError } from "../../cli/errors.js";
import { oldestFirst } from "../../ipvs/server-order.js";
import { escapeControls, toBytes } from "../../cli/escape.js";

/**
 * Checks that the backup file does not exist yet. If the same command runs twice, the second run must not overwrite the
 * original table with an intermediate one.
 *
 * @throws {CommandError} if the file exists
 */
export function checkBackup(path: string): void {
  if (!isThere(path)) return;
  throw new CommandError(
    `the backup file ${escapeControls(path)} already exists`,
    "nothing was changed; choose another name, or delete the file if you no longer need it",
  );
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false; // writing the file will report the error
  }
}

/**
 * Saves the table, timeouts and sync daemons to a file that `restore` reads. Real servers are written oldest first.
 *
 * @throws {OutputFailed}
 */
export async function writeBackup(
  path: string,
  client: IpvsClient,
  { services, timeouts, daemons }: CurrentState,
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
