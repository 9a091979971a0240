import { BACKUP, type Daemon } from "../../ipvs/model.js";
import { LISTENING_MILLISECONDS, type HeardSync } from "../read-sync.js";

/** The sync daemons that cannot be compared with those of the other director, in words. */
export function unheardSync(
  daemons: readonly Daemon[],
  heard: readonly HeardSync[],
): string[] {
  const compare =
    "compare sync id, group and port in 'ipvsadm -L --daemon' on both directors";
  return daemons.flatMap((daemon) => {
    const { state, syncId, multicastInterface } = daemon;
    if (state !== BACKUP)
      return [
        `whether a backup accepts the messages of the master here, which have sync id ${syncId} (${multicastInterface}): ${compare}`,
      ];
    const messages = heard.find((one) => one.daemon === daemon);
    if (syncId === 0 || !messages || messages.syncIds.length > 0) return [];
    return [
      `whether the master's messages have sync id ${syncId} of the backup here (${multicastInterface}): none arrived in ${LISTENING_MILLISECONDS / 1000} s; ${compare}`,
    ];
  });
}
