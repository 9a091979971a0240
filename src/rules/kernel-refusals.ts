import { INET6, familyOf, isMulticast, type Address } from "../ipvs/address.js";
import {
  TUNNELING,
  TUNNEL_GUE,
  type Daemon,
  type ServerKey,
  type ServerSettings,
  type ServiceKey,
  type Timeouts,
} from "../ipvs/model.js";
import type { Finding } from "./finding-positions.js";

/* What every kernel refuses, whatever else is in its table and on its machine. */

/** Why a rule is refused. */
export type Refusal = Finding & { readonly advice: string };

/** The longest timeouts where the kernel's clock ticks slowest, 100 times a second. @see ip_vs_set_timeout() */
const LONGEST_TIMEOUT_SECONDS = Math.floor(0x7fffffff / 100);

/** Why no kernel takes a real server. @see ip_vs_add_dest(), ip_vs_new_dest(), ip_vs_genl_set_cmd() in ip_vs_ctl.c */
export function serverRefusal(
  service: ServiceKey,
  { address }: ServerKey,
  settings: ServerSettings,
): Refusal | undefined {
  const { upperThreshold, lowerThreshold, forwarding, tunnel } = settings;
  if (familyOf(address) !== service.family && forwarding !== TUNNELING)
    return {
      id: "mixed-families",
      fault: `${familyOf(address) === INET6 ? "an IPv6 real server of an IPv4 service" : "an IPv4 real server of an IPv6 service"} must be tunnelled to`,
      advice:
        "forward to it with -i (tunnel), or give it an address of the service's family",
      part: "address",
    };
  if (!canBeHost(address))
    return {
      id: "not-unicast",
      fault: "the real server's address is not that of one host",
      advice: "give its unicast address",
      part: "address",
    };
  if (lowerThreshold > upperThreshold)
    return {
      id: "thresholds",
      fault:
        upperThreshold === 0
          ? `there is a lower threshold (${lowerThreshold}) without an upper one`
          : `the lower threshold (${lowerThreshold}) is above the upper one (${upperThreshold})`,
      advice: "the upper threshold must be at least the lower one",
      part: "lowerThreshold",
    };
  if (tunnel.type === TUNNEL_GUE && tunnel.port === 0)
    return {
      id: "gue-without-port",
      fault: "a GUE tunnel has no port",
      advice: "give the UDP port on which the real server takes GUE",
      part: "tunnelPort",
    };
  return undefined;
}

/** Whether the kernel may take an address for a real server's; more may be refused by what is on the machine. */
function canBeHost(address: Address): boolean {
  if (isMulticast(address)) return false;
  if (address.length === 4)
    return (
      address.some((byte) => byte !== 0) && address.some((byte) => byte !== 255)
    );
  const mapped =
    address.subarray(0, 10).every((byte) => byte === 0) &&
    address[10] === 255 &&
    address[11] === 255;
  return !mapped && address.some((byte) => byte !== 0);
}

/** Why no kernel takes a sync daemon. @see ip_vs_genl_new_daemon() */
export function daemonRefusal({ multicastGroup }: Daemon): Refusal | undefined {
  if (!multicastGroup || isMulticast(multicastGroup)) return undefined;
  return {
    id: "not-multicast",
    fault: "the sync daemon's group is no multicast address",
    advice: "leave it out for 224.0.0.81, or give a multicast address",
    part: "group",
  };
}

/** Why no kernel takes timeouts. */
export function timeoutsRefusal(timeouts: Timeouts): Refusal | undefined {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = timeouts;
  if (
    Math.max(tcpSeconds, tcpFinSeconds, udpSeconds) <= LONGEST_TIMEOUT_SECONDS
  )
    return undefined;
  return {
    id: "long-timeout",
    fault: `a timeout is longer than ${LONGEST_TIMEOUT_SECONDS} seconds`,
    advice: "give a shorter one",
  };
}
