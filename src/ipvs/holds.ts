import type { Change } from "./change.js";
import type { Existing } from "./compare.js";
import { keepsDaemon, keepsServer, keepsService } from "./kept.js";
import {
  formatEndpoint,
  formatService,
  type DestinationEntry,
  type DestinationKey,
  type ServiceKey,
  type ServiceWithServers,
} from "./model.js";

/** Whether what the kernel has is what a change was to make of it. Counters do not tell whether they were zeroed. */
export function holds(change: Change, existing: Existing): boolean {
  switch (change.command) {
    case "add-service":
    case "edit-service": {
      const service = serviceIn(existing, change.service);
      return (
        service !== undefined && keepsService(service.settings, change.settings)
      );
    }
    case "delete-service":
      return serviceIn(existing, change.service) === undefined;
    case "add-server":
    case "edit-server": {
      const server = serverIn(existing, change.service, change.server);
      return (
        server !== undefined && keepsServer(server.settings, change.settings)
      );
    }
    case "delete-server":
      return serverIn(existing, change.service, change.server) === undefined;
    case "flush":
      return existing.services.length === 0;
    case "zero":
      return false;
    case "set": {
      const { timeouts } = existing;
      const { tcpSeconds, tcpFinSeconds, udpSeconds } = change.timeouts;
      const set = (wanted: number, has: number) =>
        wanted === 0 || wanted === has;
      return (
        timeouts !== undefined &&
        set(tcpSeconds, timeouts.tcpSeconds) &&
        set(tcpFinSeconds, timeouts.tcpFinSeconds) &&
        set(udpSeconds, timeouts.udpSeconds)
      );
    }
    case "start-daemon":
    case "stop-daemon": {
      const runs = existing.daemons?.some((daemon) =>
        keepsDaemon(daemon, change.daemon),
      );
      return runs === (change.command === "start-daemon");
    }
  }
}

function serviceIn(
  { services }: Existing,
  wanted: ServiceKey,
): ServiceWithServers | undefined {
  const name = formatService(wanted);
  return services.find(({ key }) => formatService(key) === name);
}

function serverIn(
  existing: Existing,
  service: ServiceKey,
  { address, port }: DestinationKey,
): DestinationEntry | undefined {
  const name = formatEndpoint(address, port);
  return serviceIn(existing, service)?.servers.find(
    ({ key }) => formatEndpoint(key.address, key.port) === name,
  );
}
