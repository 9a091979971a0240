import {
  PERSISTENT,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { schedulerFlag } from "../../../ipvs/scheduler-flags.js";
import { addsAgain, changeCommand, editServer } from "../../commands.js";
import type { Fix } from "../../finding.js";
import { sysctlFix, sysctlNumber, type Sysctls } from "../../sysctls.js";

const QUIESCENT = "net/ipv4/vs/expire_quiescent_template";

/** Whether persistence keeps clients at a server even if its weight is 0. */
export function bindsClients(
  { settings }: Pick<ServiceWithServers, "settings">,
  { persistentConnections }: ServerEntry,
  sysctls: Sysctls,
): boolean {
  return (
    (settings.flags & PERSISTENT) > 0 &&
    persistentConnections > 0 &&
    !releasesTemplates(sysctls)
  );
}

/** Whether persistence templates of servers with weight 0 bind nobody. */
export function releasesTemplates(sysctls: Sysctls): boolean {
  return sysctlNumber(sysctls, QUIESCENT) === 1;
}

/** Frees the clients that persistence binds to servers with weight 0. */
export function releaseTemplates(): Fix {
  return sysctlFix(
    { [QUIESCENT]: 1 },
    "persistence no longer binds new connections to any server with weight 0",
  );
}

/** Schedulers that keep the place of a server with weight 0, and refuse the clients that belong there. @see ip_vs_sh_reassign(), ip_vs_dh_reassign() */
export function refusesClients({
  settings: { scheduler, flags },
}: Pick<ServiceWithServers, "settings">): boolean {
  const fallback = schedulerFlag("sh-fallback")?.bit ?? 0;
  return scheduler === "dh" || (scheduler === "sh" && !(flags & fallback));
}

/**
 * Gives a server no new connections, and lets all of its clients get another server.
 *
 * @param perhapsGone whether the machine does not answer at all
 */
export function takeOut(
  service: ServiceWithServers,
  server: ServerEntry,
  sysctls: Sysctls,
  perhapsGone = false,
): Fix[] {
  const removal = changeCommand({
    command: "delete-server",
    service: service.key,
    server: server.key,
  });
  if (refusesClients(service)) {
    const { scheduler } = service.settings;
    return [
      {
        command: removal,
        effect: `${scheduler} gives the clients of a server with weight 0 no other server, so it has to be removed; packets of its connections are dropped from then on, and clients of other servers may get another one; this adds the server again: ${addsAgain(service, server)}`,
      },
    ];
  }
  return [
    ...(bindsClients(service, server, sysctls) ? [releaseTemplates()] : []),
    {
      ...editServer(service, server, { weight: 0 }),
      effect: `keeps clients away from the fault and does not repair the server: it gets no new connections until its weight is set again, which was ${server.settings.weight}${perhapsGone ? `. If the server is gone for good, remove it instead: '${removal}'` : ""}`,
    },
  ];
}
