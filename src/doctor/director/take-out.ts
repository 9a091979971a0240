import {
  PERSISTENT,
  type ServerEntry,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import { editServer } from "../commands.js";
import type { Fix } from "../finding.js";
import { sysctlFix, sysctlNumber, type Sysctls } from "../sysctls.js";

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
  return {
    ...sysctlFix({ [QUIESCENT]: 1 }),
    effect:
      "persistence no longer binds new connections to any server with weight 0",
  };
}

/** Gives a server no new connections, not even those of clients that persistence binds to it. */
export function takeOut(
  service: ServiceWithServers,
  server: ServerEntry,
  sysctls: Sysctls,
): Fix[] {
  return [
    ...(bindsClients(service, server, sysctls) ? [releaseTemplates()] : []),
    editServer(service, server, { weight: 0 }),
  ];
}
