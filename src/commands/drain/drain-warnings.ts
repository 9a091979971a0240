import { join } from "node:path";
import { PERSISTENT } from "../../ipvs/model.js";
import { schedulerBitNames } from "../../ipvs/scheduler-flags.js";
import { serverState, takesConnections } from "../../ipvs/state.js";
import type { Io } from "../../runtime/io.js";
import { textOf } from "../../system/files.js";
import type { Target } from "./find-server.js";

/** A side effect of draining a server, and what to do about it. */
export type Warning = readonly [fault: string, advice: string];

/** The side effects of setting the weight of a server to 0. @param undo the arguments of undrain */
export function warningsOf(
  target: Target,
  io: Pick<Io, "procFolder">,
  undo = target.words,
): Warning[] {
  return [
    ...lastServer(target, undo),
    ...persistentClients(target, io),
    ...hashedClients(target, undo),
  ];
}

function lastServer({ servers, entry }: Target, undo: string): Warning[] {
  const others = servers.filter((server) => server !== entry);
  return others.some((server) => takesConnections(serverState(server)))
    ? []
    : [
        [
          "this was the last real server of the service that accepts new connections; clients are refused now",
          `to undo this, run 'ipvsadm undrain ${undo}'`,
        ],
      ];
}

/** @see ip_vs_check_template() in net/netfilter/ipvs/ip_vs_conn.c */
function persistentClients(
  { serviceEntry }: Target,
  { procFolder }: Pick<Io, "procFolder">,
): Warning[] {
  const name = "net.ipv4.vs.expire_quiescent_template";
  const path = join(procFolder, "sys", name.replaceAll(".", "/"));
  return (serviceEntry.settings.flags & PERSISTENT) !== 0 &&
    textOf(path)?.trim() === "0"
    ? [
        [
          `persistent clients still reach this server, because ${name} is 0`,
          `'sysctl -w ${name}=1' moves them to other servers with their next connection, for all servers at weight 0`,
        ],
      ]
    : [];
}

/**
 * Schedulers whose hash table contains servers of weight 0, too: clients that hash to such a server are refused.
 *
 * @see ip_vs_dh_assign() in ip_vs_dh.c, ip_vs_sh_reassign() in ip_vs_sh.c
 */
function hashedClients(
  { serviceEntry: { settings } }: Target,
  undo: string,
): Warning[] {
  const { scheduler, flags } = settings;
  const refuses =
    scheduler === "dh" ||
    (scheduler === "sh" &&
      !schedulerBitNames(scheduler, flags).includes("sh-fallback"));
  const advice =
    scheduler === "sh"
      ? "set the scheduler flag sh-fallback, or remove the server"
      : "remove the server, or use another scheduler";
  return refuses
    ? [
        [
          `scheduler ${scheduler} refuses clients that hash to this server while its weight is 0`,
          `${advice}; to undo this, run 'ipvsadm undrain ${undo}'`,
        ],
      ]
    : [];
}
