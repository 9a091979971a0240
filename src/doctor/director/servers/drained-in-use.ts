import {
  LOCAL_NODE,
  PERSISTENT,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";

/** Whether a server is drained and packets still go there. */
export function isDrainedInUse(
  service: Pick<ServiceWithServers, "settings">,
  server: ServerEntry,
): boolean {
  const { weight, forwarding } = server.settings;
  if (weight !== 0 || forwarding === LOCAL_NODE) return false;
  return (
    server.activeConnections + server.inactiveConnections > 0 ||
    (service.settings.flags & PERSISTENT) > 0
  );
}
