import { join } from "node:path";
import { PERSISTENT } from "../../ipvs/model.js";
import { schedulerBitNames } from "../../ipvs/scheduler-flags.js";
import { serverState, takesConnections } from "../../ipvs/state.js";
import type { Io } from "../../runtime/io.js";
import { textOf } from "../../system/files.js";
import type { Target } from "./target.js";

/** Something that a drained server brings with it, and what to do about it. */
export type Warning = readonly [fault: string, advice: string];

/** What people ought to know of a server that gets weight 0. */
export function warningsOf(
  target: Target,
  io: Pick<Io, "procFolder">,
): Warning[] {
  return [
    ...lastServer(target),
    ...persistentClients(target, io),
    ...hashedClients(target),
  ];
}

function lastServer({ servers, entry, words }: Target): Warning[] {
  const others = servers.filter((server) => server !== entry);
  return others.some((server) => takesConnections(serverState(server)))
    ? []
    : [
        [
          "no other real server of the service takes new connections: its clients are refused from now on",
          `'ipvsadm undrain ${words}' ends that`,
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
          `clients that persistence binds to this server keep coming, because ${name} is 0`,
          `'sysctl -w ${name}=1' sends them elsewhere with their next connection, from every server at weight 0`,
        ],
      ]
    : [];
}

/**
 * Schedulers that give each client its server by a table which has those of weight 0 in it, too.
 *
 * @see ip_vs_dh_assign() in ip_vs_dh.c, ip_vs_sh_reassign() in ip_vs_sh.c
 */
function hashedClients({
  serviceEntry: { settings },
  words,
}: Target): Warning[] {
  const { scheduler, flags } = settings;
  const refuses =
    scheduler === "dh" ||
    (scheduler === "sh" &&
      !schedulerBitNames(scheduler, flags).includes("sh-fallback"));
  const advice =
    scheduler === "sh"
      ? "give the service the flag sh-fallback, or remove the server"
      : "remove the server, or use another scheduler";
  return refuses
    ? [
        [
          `the scheduler ${scheduler} refuses the clients that it has for this server, as long as it is there with weight 0`,
          `${advice}; 'ipvsadm undrain ${words}' brings it back`,
        ],
      ]
    : [];
}
