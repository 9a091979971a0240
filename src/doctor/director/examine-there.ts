import { formatAddress, type Address } from "../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  formatEndpoint,
  MASQUERADING,
  TUNNEL_GRE,
  TUNNEL_GUE,
  type ServerEntry,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import { formatHardwareAddress } from "../../rtnl/model.js";
import { serviceName } from "../commands.js";
import type { Fix } from "../finding.js";
import { wayTo, type Network } from "../network.js";
import type { Method } from "../real-server/methods.js";

/** The command that tries the real servers from this machine. */
export const PROBE: Fix = { command: "ipvsadm doctor --probe" };

/**
 * The command that examines a real server, complete, for that server.
 *
 * @param hardwareAddress where this machine reaches the server
 */
export function examineThere(
  service: ServiceWithServers,
  { key, settings }: ServerEntry,
  network: Network,
  client?: Address,
  hardwareAddress?: Uint8Array,
): Fix {
  // Clients of a firewall mark use addresses that only the marking rules know.
  const name = "firewallMark" in service.key ? "ADDRESS" : serviceName(service);
  const source = wayTo(network, key.address)?.source;
  const words = [
    `ipvsadm doctor --real-server ${name} --method ${methodOf(settings)}`,
    ...(isGue(settings) ? [`--tun-port ${settings.tunnel.port}`] : []),
    ...(settings.forwarding === MASQUERADING
      ? [`--server ${formatEndpoint(key.address, key.port)}`]
      : []),
    ...(settings.forwarding === MASQUERADING && hardwareAddress
      ? [`--hardware-address ${formatHardwareAddress(hardwareAddress)}`]
      : []),
    ...(source ? [`--director ${formatAddress(source)}`] : []),
    ...(client ? [`--client ${formatAddress(client)}`] : []),
  ];
  return {
    command: words.join(" "),
    on: `real server ${formatAddress(key.address)}`,
    ...("firewallMark" in service.key
      ? { effect: "changes nothing; ADDRESS is the virtual address" }
      : {}),
  };
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
