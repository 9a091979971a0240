import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  formatEndpoint,
  MASQUERADING,
  TUNNEL_CHECKSUM,
  TUNNEL_GRE,
  TUNNEL_GUE,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { formatHardwareAddress } from "../../../rtnl/model.js";
import { serviceName } from "../../commands.js";
import type { Fix } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import { wayTo } from "../../network.js";
import type { Method } from "../../real-server/methods.js";
import { shellWord } from "../../shell.js";
import { directorAddress, type AddressFacts } from "./director-address.js";
import { snatRules, sourceOfRule, unseenRules } from "./snat-address.js";

/** The command that tries the real servers from this machine. */
export const PROBE: Fix = { command: "ipvsadm doctor --probe" };

/**
 * The command that examines a real server, complete, for that server.
 *
 * @param hardwareAddress where this machine reaches the server
 */
export function examineThere(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: AddressFacts,
  client?: Address,
  hardwareAddress?: Uint8Array,
): Fix {
  const { key, settings } = server;
  // Clients of a firewall mark use addresses that only the marking rules know.
  const name = "firewallMark" in service.key ? "ADDRESS" : serviceName(service);
  const isMasqueraded = settings.forwarding === MASQUERADING;
  const source =
    directorAddress(key.address, facts) ??
    (isMasqueraded ? sourceTo(key.address, facts) : undefined);
  const snat = translatedClient(service, server, facts, client);
  const seen = snat?.address ?? client;
  const says = [
    ...("firewallMark" in service.key
      ? ["ADDRESS is the virtual address"]
      : []),
    ...(snat ? [snat.text] : []),
  ];
  const words = [
    `ipvsadm doctor --real-server ${shellWord(name)} --method ${methodOf(settings)}`,
    ...(methodOf(settings) === "gre" && settings.tunnel.flags & TUNNEL_CHECKSUM
      ? ["--tun-csum"]
      : []),
    ...(isGue(settings) ? [`--tun-port ${settings.tunnel.port}`] : []),
    ...(isMasqueraded
      ? [`--server ${shellWord(formatEndpoint(key.address, key.port))}`]
      : []),
    ...(settings.forwarding === MASQUERADING && hardwareAddress
      ? [`--hardware-address ${formatHardwareAddress(hardwareAddress)}`]
      : []),
    ...(source ? [`--director ${formatAddress(source)}`] : []),
    ...(seen ? [`--client ${formatAddress(seen)}`] : []),
  ];
  return {
    command: words.join(" "),
    on: `real server ${formatAddress(key.address)}`,
    ...(says.length > 0
      ? { effect: ["changes nothing", ...says].join("; ") }
      : {}),
  };
}

/** The client that a real server sees because of a SNAT rule of this machine, and the rule in words. */
function translatedClient(
  service: ServiceWithServers,
  server: ServerEntry,
  { network, allServices, sysctls, connections, firewall }: AddressFacts,
  client: Address | undefined,
): { address: Address; text: string } | undefined {
  if (!allServices || !sysctls || !connections || !firewall) return undefined;
  const facts = { network, allServices, sysctls, connections, firewall };
  const [seeing] = snatRules(service, server, facts, client);
  const [unseeing] = unseenRules(service, server, facts, client);
  const rule = seeing ?? unseeing;
  const address = rule && sourceOfRule(rule, server, network);
  return address
    ? {
        address,
        text: `--client is the address that the server sees instead of its clients'${seeing ? "" : ", if net.ipv4.vs.conntrack is 1 on the director"}: ${describePlace(rule)}`,
      }
    : undefined;
}

/** The source of packets to a real server, unless it is the server's own address. */
function sourceTo(
  server: Address,
  { network }: AddressFacts,
): Address | undefined {
  const source = wayTo(network, server)?.source;
  return source && sameAddress(source, server) ? undefined : source;
}

function methodOf({ forwarding, tunnel }: ServerEntry["settings"]): Method {
  if (forwarding === MASQUERADING) return "masq";
  if (forwarding === DIRECT_ROUTING) return "direct";
  if (tunnel.type === TUNNEL_GRE) return "gre";
  return tunnel.type === TUNNEL_GUE ? "gue" : "tunnel";
}

function isGue(settings: ServerEntry["settings"]): boolean {
  return methodOf(settings) === "gue";
}
