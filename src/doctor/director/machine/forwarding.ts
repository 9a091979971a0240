import { familyOf, INET, type Family } from "../../../ipvs/address.js";
import { MASQUERADING, type ServerEntry } from "../../../ipvs/model.js";
import { check } from "../../check.js";
import { serverName } from "../../commands.js";
import type { Facts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import { deviceOf, nextHopTo, type Network } from "../../network.js";
import {
  sysctlFix,
  sysctlName,
  sysctlNumber,
  type Sysctls,
} from "../../sysctls.js";
import {
  silences,
  waitingText,
  type Silence,
  type SilenceFacts,
} from "../reach/silence.js";

const SWITCHES: Readonly<Record<Family, string>> = {
  2: "net/ipv4/ip_forward",
  10: "net/ipv6/conf/all/forwarding",
};

const EFFECTS: Readonly<Record<Family, string>> = {
  2: "this machine also forwards other IPv4 packets that reach it and are for others",
  10: "this machine also forwards other IPv6 packets, and ignores router advertisements where accept_ra is 1: if its default route comes from them, set net.ipv6.conf.INTERFACE.accept_ra to 2 on that interface before",
};

/** Masquerading on a machine that does not forward. */
export const forwarding = check(
  ["forwarding-off"],
  ["table", "sysctls"],
  ({ table, sysctls, ...others }) => {
    const found = new Map<Family, Finding<"forwarding-off">>();
    for (const service of table)
      for (const server of service.servers) {
        const family = familyOf(server.key.address);
        if (server.settings.forwarding !== MASQUERADING || found.has(family))
          continue;
        const path = SWITCHES[family];
        if (isOff(sysctls, path))
          found.set(family, {
            id: "forwarding-off",
            subject: family === INET ? "IPv4" : "IPv6",
            seen: `${sysctlName(path)} is 0, and real server ${serverName(service, server)} is masqueraded`,
            evidence: waitingIn(
              others,
              table,
              ({ server }) => familyOf(server.key.address) === family,
            ),
            fix: [sysctlFix({ [path]: 1 }, EFFECTS[family])],
          });
      }
    return [...found.values()];
  },
);

/** Interfaces that take no answers of masqueraded servers. Only IPv4 has forwarding for each interface. */
export const interfaceForwarding = check(
  ["interface-forwarding-off"],
  ["table", "sysctls", "network"],
  ({ table, sysctls, ...others }) => {
    const { network } = others;
    if (isOff(sysctls, SWITCHES[INET])) return [];
    const found = new Map<string, Finding<"interface-forwarding-off">>();
    for (const service of table)
      for (const server of service.servers) {
        const name = closedInterface(server, sysctls, network);
        if (name === undefined || found.has(name)) continue;
        const path = interfaceSwitch(name);
        found.set(name, {
          id: "interface-forwarding-off",
          subject: name,
          seen: `${sysctlName(path)} is 0, and the answers of masqueraded server ${serverName(service, server)} come in there`,
          evidence: waitingIn(
            others,
            table,
            ({ server }) => closedInterface(server, sysctls, network) === name,
          ),
          fix: [
            sysctlFix(
              { [path]: 1 },
              "this machine also forwards other IPv4 packets that come in there",
            ),
          ],
        });
      }
    return [...found.values()];
  },
);

/** Whether the answers of a masqueraded server are not forwarded. */
export function isNotForwarded(
  server: ServerEntry,
  sysctls: Sysctls,
  network: Network,
): boolean {
  return (
    server.settings.forwarding === MASQUERADING &&
    (isOff(sysctls, SWITCHES[familyOf(server.key.address)]) ||
      closedInterface(server, sysctls, network) !== undefined)
  );
}

/** The interface to a masqueraded server, if it does not forward. */
function closedInterface(
  { key: { address }, settings }: ServerEntry,
  sysctls: Sysctls,
  network: Network,
): string | undefined {
  if (settings.forwarding !== MASQUERADING || address.length !== 4)
    return undefined;
  const name = deviceOf(network, nextHopTo(network, address)?.device)?.name;
  return name !== undefined && isOff(sysctls, interfaceSwitch(name))
    ? name
    : undefined;
}

function interfaceSwitch(name: string): string {
  return `net/ipv4/conf/${name}/forwarding`;
}

/** The connections that wait for answers that are not forwarded, as far as they are known. */
function waitingIn(
  { allServices, network, stations, connections, timeouts }: Facts,
  table: SilenceFacts["table"],
  isOne: (silence: Silence) => boolean,
): string[] {
  if (!allServices || !network || !stations || !connections || !timeouts)
    return [];
  const facts = {
    table,
    allServices,
    network,
    stations,
    connections,
    timeouts,
  };
  return silences(facts)
    .filter(
      (silence) =>
        silence.server.settings.forwarding === MASQUERADING && isOne(silence),
    )
    .map(waitingText);
}

function isOff(sysctls: Sysctls, path: string): boolean {
  return sysctlNumber(sysctls, path) === 0;
}
