import { formatAddress, sameAddress } from "../../ipvs/address.js";
import {
  BACKUP,
  DIRECT_ROUTING,
  formatEndpoint,
  LOCAL_NODE,
  TUNNELING,
} from "../../ipvs/model.js";
import { check } from "../check.js";
import { ofService } from "../commands.js";
import type { Finding } from "../finding.js";
import { deviceOf, isLocal } from "../network.js";
import { sysctlFix, sysctlNumber } from "../sysctls.js";
import { isPassive } from "./reach.js";

const BACKUP_ONLY = "net/ipv4/vs/backup_only";

/** A backup that balances again what the master has balanced. */
export const backups = check(
  ["backup-balances"],
  ["table", "daemons", "network", "sysctls"],
  ({ table, daemons, network, sysctls }) => {
    if (!isPassive(daemons) || sysctlNumber(sysctls, BACKUP_ONLY) !== 0)
      return [];
    return table.flatMap((service): Finding<"backup-balances">[] => {
      const own = service.servers.find(
        ({ key, settings }) =>
          settings.forwarding === LOCAL_NODE || isLocal(network, key.address),
      );
      const other = service.servers.find(
        ({ key, settings }) =>
          (settings.forwarding === DIRECT_ROUTING ||
            settings.forwarding === TUNNELING) &&
          isLocal(network, key.address) === false,
      );
      if (!own || !other) return [];
      return [
        {
          id: "backup-balances",
          ...ofService(service),
          seen: `this backup is also real server ${formatEndpoint(own.key.address, own.key.port)}, and would balance packets for it, also to ${formatAddress(other.key.address)}`,
          fix: [
            sysctlFix(
              { [BACKUP_ONLY]: 1 },
              "this machine balances nothing while it is a backup, also if requests reach it",
            ),
          ],
        },
      ];
    });
  },
);

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
