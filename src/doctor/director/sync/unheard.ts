import { BACKUP, type Daemon } from "../../../ipvs/model.js";
import type { Connections } from "../../connections.js";
import { placeText, syncIdsOf, type HeardSync } from "../../sync-messages.js";
import { isPassive } from "../reach/reach.js";

/** The sync daemons that were not compared with those of the other director, in words. */
export function unheardSync(
  daemons: readonly Daemon[],
  heard: readonly HeardSync[],
  connections?: Connections,
): string[] {
  return daemons.flatMap((daemon) => {
    if (daemon.state !== BACKUP) return [masterText(daemon)];
    const messages = heard.find((one) => one.daemon === daemon);
    if (!messages || messages.here.length > 0) return [];
    return [backupText(messages, isPassive(daemons) ? connections : undefined)];
  });
}

/** What the backup of a master must have. */
export function masterText(daemon: Daemon): string {
  return `whether a backup accepts the messages of the master here, which have sync id ${daemon.syncId} (${placeText(daemon)}): 'ipvsadm -L --daemon' on the backup must show the same values, or sync id 0. Run 'ipvsadm doctor' on the backup, too`;
}

function backupText(
  { daemon, seconds, elsewhere }: HeardSync,
  connections: Connections | undefined,
): string {
  const { syncId } = daemon;
  const wanted = syncId === 0 ? "any sync id" : `sync id ${syncId}`;
  const ids = syncIdsOf(elsewhere).join(", ");
  const others =
    ids === ""
      ? ""
      : `, and elsewhere some with sync id ${ids} (from ${[...new Set(elsewhere.map(({ from }) => from))].join(", ")})`;
  const empty =
    connections?.entries === 0 ? "; no connection is known here" : "";
  return `whether messages of the master reach the backup here, which accepts ${wanted} (${placeText(daemon)}): none arrived in ${seconds} s${others}${empty}. 'ipvsadm -L --daemon' on both directors must show the same values; 'ipvsadm doctor --for 1m' listens longer, while clients make connections`;
}
