import { sameAddress } from "../../../ipvs/address.js";
import type { Connection } from "../../../ipvs/connections.js";
import {
  PROTOCOL_NAMES,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";

/** The service of a connection; that of a firewall mark is not known by its addresses. */
export function serviceOf(
  table: readonly ServiceWithServers[],
  { protocol, virtual, virtualPort }: Connection,
): ServiceWithServers | undefined {
  const fits = (port: number) =>
    table.find(
      ({ key }) =>
        !("firewallMark" in key) &&
        PROTOCOL_NAMES[key.protocol] === protocol &&
        key.port === port &&
        sameAddress(key.address, virtual),
    );
  return fits(virtualPort) ?? fits(0);
}

/** The real server of a connection. */
export function serverOf(
  service: ServiceWithServers | undefined,
  one: Connection,
): ServerEntry | undefined {
  return service?.servers.find(
    ({ key }) =>
      sameAddress(key.address, one.server) &&
      (key.port === 0 || key.port === one.serverPort),
  );
}
