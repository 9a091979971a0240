import { formatAddress, sameAddress } from "../../../ipvs/address.js";
import {
  BACKUP,
  DIRECT_ROUTING,
  formatEndpoint,
  LOCAL_NODE,
  TUNNELING,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { ofService } from "../../commands.js";
import { groupsOf } from "../../connections.js";
import type { Facts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import { deviceOf, isLocal } from "../../network.js";
import { sysctlFix, sysctlNumber } from "../../sysctls.js";
import { isPassive } from "../reach/reach.js";

export const BACKUP_ONLY = "net/ipv4/vs/backup_only";

/** A backup that balances again what the master has balanced. */
export const backups = check(
  ["balances-again", "backup-balances"],
  ["table", "allServices", "daemons", "network", "sysctls", "connections"],
  ({ table, allServices, daemons, network, sysctls, connections }) => {
    return table.flatMap(
      (service): Finding<"balances-again" | "backup-balances">[] => {
        const pair = pairOf(service, { daemons, network, sysctls });
        if (!pair) return [];
        const { own, other } = pair;
        // No master sends connections in this state.
        const waiting = service.servers
          .flatMap((server) =>
            groupsOf(connections, service, server, allServices),
          )
          .reduce(
            (sum, { states }) => sum + (states.get("SYN_RECV")?.count ?? 0),
            0,
          );
        const who = `this backup is also real server ${formatEndpoint(own.key.address, own.key.port)}, and`;
        const to = `also to ${formatAddress(other.key.address)}`;
        return [
          {
            id: waiting > 0 ? "balances-again" : "backup-balances",
            ...ofService(service),
            seen:
              waiting > 0
                ? `${who} balances packets for it again, ${to}: ${waiting} ${waiting === 1 ? "connection waits" : "connections wait"} in SYN_RECV here`
                : `${who} would balance packets for it, ${to}`,
            ...(waiting > 0
              ? { certainty: "likely" as const, evidence: [WAS_MASTER] }
              : {}),
            fix: [balanceNothing()],
          },
        ];
      },
    );
  },
);

const WAS_MASTER =
  "if this machine was active within the last minute, these connections can be of that time";

/** Itself and another server between which a backup balances what it gets as a real server; undefined if it does not. */
function pairOf(
  { servers }: ServiceWithServers,
  { daemons, network, sysctls }: Known<"daemons" | "network" | "sysctls">,
) {
  if (!isPassive(daemons) || sysctlNumber(sysctls, BACKUP_ONLY) !== 0)
    return undefined;
  const own = servers.find(
    ({ key, settings }) =>
      settings.forwarding === LOCAL_NODE || isLocal(network, key.address),
  );
  const other = servers.find(
    ({ key, settings }) =>
      (settings.forwarding === DIRECT_ROUTING ||
        settings.forwarding === TUNNELING) &&
      isLocal(network, key.address) === false,
  );
  return own && other ? { own, other } : undefined;
}

/** Whether half-open connections here say nothing about the servers: a backup has balanced again, and does so or did. */
export function hasBalancedAgain(
  service: ServiceWithServers,
  facts: Known<"network" | "sysctls"> & Pick<Facts, "daemons">,
): boolean {
  const { daemons = [], sysctls } = facts;
  return (
    isPassive(daemons) &&
    (sysctlNumber(sysctls, BACKUP_ONLY) === 1 ||
      pairOf(service, { ...facts, daemons }) !== undefined)
  );
}

/** Lets a backup balance nothing. */
export function balanceNothing(): Fix {
  return sysctlFix(
    { [BACKUP_ONLY]: 1 },
    "this machine balances nothing while it is a backup, also if requests reach it; set it on both directors, because they change roles",
  );
}

/** A director that is active, and whose backup daemon turns IPVS off. */
export const activeBackups = check(
  ["backup-only-active"],
  ["table", "daemons", "network", "sysctls"],
  ({ table, daemons, network, sysctls }) => {
    const backup = daemons.some(({ state }) => state === BACKUP);
    if (!backup || sysctlNumber(sysctls, BACKUP_ONLY) !== 1) return [];
    for (const { key } of table) {
      if ("firewallMark" in key) continue;
      const place = network.addresses.find(({ address, device }) => {
        const asked = deviceOf(network, device)?.asksNeighbors === true;
        return asked && sameAddress(address, key.address);
      });
      if (!place) continue;
      const name = deviceOf(network, place.device)?.name ?? "an interface";
      return [
        {
          id: "backup-only-active" as const,
          ...ofService({ key }),
          seen: `net.ipv4.vs.backup_only is 1, a backup daemon runs here, and ${name} has the virtual address`,
          fix: [
            sysctlFix(
              { [BACKUP_ONLY]: 0 },
              "if this machine becomes a backup again and is also a real server, it balances what the active director sends to it",
            ),
          ],
        },
      ];
    }
    return [];
  },
);
