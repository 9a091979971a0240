import { INET, type Family } from "../../ipvs/address.js";
import { MASQUERADING } from "../../ipvs/model.js";
import { check } from "../check.js";
import { serverName } from "../commands.js";
import type { Finding } from "../finding.js";
import { deviceOf, nextHopTo } from "../network.js";
import {
  sysctlFix,
  sysctlName,
  sysctlNumber,
  type Sysctls,
} from "../sysctls.js";

const SWITCHES: Readonly<Record<Family, string>> = {
  2: "net/ipv4/ip_forward",
  10: "net/ipv6/conf/all/forwarding",
};

/** Masquerading on a machine that does not forward. */
export const forwarding = check(
  ["forwarding-off"],
  ["table", "sysctls"],
  ({ table, sysctls }) => {
    const found = new Map<Family, Finding<"forwarding-off">>();
    for (const service of table)
      for (const server of service.servers) {
        const family: Family = server.key.address.length === 4 ? 2 : 10;
        if (server.settings.forwarding !== MASQUERADING || found.has(family))
          continue;
        const path = SWITCHES[family];
        if (isOff(sysctls, path))
          found.set(family, {
            id: "forwarding-off",
            subject: family === INET ? "IPv4" : "IPv6",
            seen: `${sysctlName(path)} is 0, and real server ${serverName(service, server)} is masqueraded`,
            fix: [sysctlFix({ [path]: 1 })],
          });
      }
    return [...found.values()];
  },
);

/** Interfaces that take no answers of masqueraded servers. Only IPv4 has forwarding for each interface. */
export const interfaceForwarding = check(
  ["interface-forwarding-off"],
  ["table", "sysctls", "network"],
  ({ table, sysctls, network }) => {
    if (isOff(sysctls, SWITCHES[INET])) return [];
    const found = new Map<string, Finding<"interface-forwarding-off">>();
    for (const service of table)
      for (const server of service.servers) {
        const { address } = server.key;
        if (server.settings.forwarding !== MASQUERADING) continue;
        const hop = nextHopTo(network, address);
        const name = deviceOf(network, hop?.device)?.name;
        if (name === undefined || address.length !== 4) continue;
        const path = `net/ipv4/conf/${name}/forwarding`;
        if (isOff(sysctls, path))
          found.set(name, {
            id: "interface-forwarding-off",
            subject: name,
            seen: `${sysctlName(path)} is 0, and the answers of masqueraded server ${serverName(service, server)} come in there`,
            fix: [sysctlFix({ [path]: 1 })],
          });
      }
    return [...found.values()];
  },
);

function isOff(sysctls: Sysctls, path: string): boolean {
  return sysctlNumber(sysctls, path) === 0;
}
