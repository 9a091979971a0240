import { sameAddress } from "../../ipvs/address.js";
import {
  BACKUP,
  DIRECT_ROUTING,
  formatEndpoint,
  TUNNELING,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import { check } from "../check.js";
import { serviceName } from "../commands.js";
import type { Finding } from "../finding.js";
import { balanceNothing, BACKUP_ONLY } from "../director/sync/backups.js";
import { isPassive, isServing } from "../director/reach/reach.js";
import { sysctlNumber } from "../sysctls.js";
import {
  endpointName,
  mayBeMasqueraded,
  placesOf,
  type VirtualService,
} from "./real-server.js";

/** An IPVS table of this machine itself that takes the packets of the director. */
export const ownTable = check(
  ["own-table-balances"],
  ["realServer"],
  ({ realServer, sysctls, table, daemons = [] }) => {
    const { director, services } = realServer;
    const backup = daemons.some(({ state }) => state === BACKUP);
    // Beside a master daemon, backup_only would turn IPVS off on an active director.
    const passive = isPassive(daemons);
    if (
      !table ||
      !sysctls ||
      (backup && sysctlNumber(sysctls, BACKUP_ONLY) === 1)
    )
      return [];
    if (director && placesOf(realServer, director).length > 0) return [];
    return services.flatMap((service): Finding<"own-table-balances">[] => {
      if (mayBeMasqueraded(realServer, service.address)) return [];
      const own = table.find((one) => takes(one, service));
      const others = (own?.servers ?? []).filter(
        (server) =>
          isServing(server) &&
          // A masqueraded server gets its own address, and balances nothing again.
          (server.settings.forwarding === DIRECT_ROUTING ||
            server.settings.forwarding === TUNNELING) &&
          placesOf(realServer, server.key.address).length === 0,
      );
      const [other] = others;
      if (!own || !other) return [];
      const { connections, inPackets } = own.stats;
      return [
        {
          id: "own-table-balances",
          subject: endpointName(service),
          seen: `the IPVS table of this machine has ${serviceName(own)} as well, so it balances packets of the director again, also to ${formatEndpoint(other.key.address, other.key.port)}`,
          certainty: passive || director ? undefined : "likely",
          evidence:
            inPackets > 0n
              ? [
                  `${serviceName(own)} has counted ${connections} connections and ${inPackets} packets here since it was added`,
                ]
              : [],
          next: [{ command: "ipvsadm doctor" }],
          cure: passive ? undefined : cureOf(director !== undefined, backup),
          fix: passive ? [balanceNothing()] : [],
        },
      ];
    });
  },
  ({ table, sysctls }) => table !== undefined && sysctls !== undefined,
);

function takes({ key }: ServiceWithServers, service: VirtualService): boolean {
  return (
    !("firewallMark" in key) &&
    sameAddress(key.address, service.address) &&
    (service.protocol === undefined || key.protocol === service.protocol) &&
    (service.port === undefined || key.port === 0 || key.port === service.port)
  );
}

/** @param backup whether a backup daemon runs here, beside a master daemon */
function cureOf(isReal: boolean, backup: boolean): string {
  const doubt = isReal
    ? ""
    : "If this machine is the active director, nothing has to be changed. ";
  if (backup)
    return `${doubt}A master daemon runs here beside the backup. If both directors are active, do not set net.ipv4.vs.backup_only: it turns IPVS off here. Use a service by firewall mark that packets from the other director do not get. If this machine only stands by: stop the master daemon, and set net.ipv4.vs.backup_only to 1. If it is no director, delete the service here.`;
  return `${doubt}If it stands by for another director: run the sync daemon backup here, and set net.ipv4.vs.backup_only to 1; or use a service by firewall mark that packets from the other director do not get. If it is no director, delete the service here.`;
}
