import { formatAddress, INET, sameAddress } from "../../ipvs/address.js";
import {
  MASQUERADING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import { check, type Known } from "../check.js";
import { serverName } from "../commands.js";
import { groupsOf } from "../connections.js";
import type { Finding } from "../finding.js";
import { deviceOf, nextHopTo } from "../network.js";
import { CONNTRACK, sysctlFix, sysctlNumber } from "../sysctls.js";
import { translations } from "./beside-clients.js";
import { interfaceDown, isServing } from "./reach.js";

type Facts = Known<
  "table" | "allServices" | "network" | "sysctls" | "connections" | "firewall"
>;

/** Masqueraded servers that learn a way to clients past the director. */
export const redirects = check(
  ["redirects-sent"],
  ["table", "allServices", "network", "sysctls", "connections", "firewall"],
  (facts) => {
    const found = new Map<string, Finding<"redirects-sent">>();
    for (const service of facts.table)
      for (const server of service.servers) {
        const device = sharedDevice(service, server, facts);
        if (!device || found.has(device.name)) continue;
        const path = (name: string) => `net/ipv4/conf/${name}/send_redirects`;
        const on = ["all", device.name].filter(
          (name) => sysctlNumber(facts.sysctls, path(name)) === 1,
        );
        if (on.length === 0) continue;
        found.set(device.name, {
          id: "redirects-sent",
          subject: device.name,
          seen: `masqueraded server ${serverName(service, server)} and ${device.why} are behind this interface, and send_redirects is 1 for ${on.join(" and ")}`,
          fix: [
            sysctlFix(
              { [path("all")]: 0, [path(device.name)]: 0 },
              "this machine sends no ICMP redirects to other hosts either",
            ),
            {
              command: "ip route flush cache",
              on: "the real servers",
            },
          ],
        });
      }
    return [...found.values()];
  },
);

/** The interface by which answers of a server come in and leave; undefined if there is none. */
function sharedDevice(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: Facts,
): { name: string; why: string } | undefined {
  const { network, connections, allServices, sysctls } = facts;
  const { address } = server.key;
  if (
    server.settings.forwarding !== MASQUERADING ||
    address.length !== 4 ||
    !isServing(server)
  )
    return undefined;
  // The wrong route is reported as the cause.
  if (
    interfaceDown(network, server) ||
    network.strayRoutes?.has(formatAddress(address))
  )
    return undefined;
  const hop = nextHopTo(network, address);
  const device = deviceOf(network, hop?.device);
  if (!hop || !device) return undefined;
  // With SNAT answers are for the director itself.
  if (
    sysctlNumber(sysctls, CONNTRACK) === 1 &&
    translations(service, server, facts).length > 0
  )
    return undefined;
  const { name } = device;
  const near = groupsOf(connections, service, server, allServices)
    .flatMap(({ clients }) => clients)
    .some((client) => nextHopTo(network, client)?.device === hop.device);
  if (near) return { name, why: "one of its clients" };
  const { key } = service;
  if ("firewallMark" in key || key.family !== INET) return undefined;
  const own = network.addresses.some(
    (one) => one.device === hop.device && sameAddress(one.address, key.address),
  );
  return own ? { name, why: "its virtual address" } : undefined;
}
