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

/* Rules that every kernel refuses, regardless of its table and its machine. */

/** Why the kernel refuses a rule. */
export type Refusal = Finding & { readonly advice: string };

/** The maximum timeout of a kernel with HZ=100. Others have a lower limit. @see ip_vs_set_timeout() */
const LONGEST_TIMEOUT_SECONDS = Math.floor(0x7fffffff / 100);

/** Why every kernel refuses a real server. @see ip_vs_add_dest(), ip_vs_new_dest(), ip_vs_genl_set_cmd() in ip_vs_ctl.c */
export function serverRefusal(
  service: ServiceKey,
  { address }: ServerKey,
  settings: ServerSettings,
): Refusal | undefined {
  const { upperThreshold, lowerThreshold, forwarding, tunnel } = settings;
  if (familyOf(address) !== service.family && forwarding !== TUNNELING)
    return {
      id: "mixed-families",
      message: `${familyOf(address) === INET6 ? "an IPv6 real server of an IPv4 service" : "an IPv4 real server of an IPv6 service"} needs tunneling`,
      advice: "use -i (tunnel), or an address of the service's family",
      part: "address",
    };
  if (!canBeHost(address))
    return {
      id: "not-unicast",
      message: "the address of the real server is not a unicast address",
      advice: "give the address of the host",
      part: "address",
    };
  if (lowerThreshold > upperThreshold)
    return {
      id: "thresholds",
      message:
        upperThreshold === 0
          ? `the lower threshold (${lowerThreshold}) needs an upper threshold`
          : `the lower threshold (${lowerThreshold}) is above the upper threshold (${upperThreshold})`,
      advice: "the upper threshold must not be below the lower threshold",
      part: "lowerThreshold",
    };
  if (tunnel.type === TUNNEL_GUE && tunnel.port === 0)
    return {
      id: "gue-without-port",
      message: "the GUE tunnel has no port",
      advice: "give the UDP port on which the real server receives GUE",
      part: "tunnelPort",
    };
  return undefined;
}

/** Whether an address can be a real server's. The kernel may still refuse it because of the machine's addresses. */
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

/** Why every kernel refuses a sync daemon. @see ip_vs_genl_new_daemon() */
export function daemonRefusal({ multicastGroup }: Daemon): Refusal | undefined {
  if (!multicastGroup || isMulticast(multicastGroup)) return undefined;
  return {
    id: "not-multicast",
    message: "the group of the sync daemon is not a multicast address",
    advice: "give a multicast address, or leave it out for 224.0.0.81",
    part: "group",
  };
}

/** Why every kernel refuses timeouts. */
export function timeoutsRefusal(timeouts: Timeouts): Refusal | undefined {
  const { tcpSeconds, tcpFinSeconds, udpSeconds } = timeouts;
  if (
    Math.max(tcpSeconds, tcpFinSeconds, udpSeconds) <= LONGEST_TIMEOUT_SECONDS
  )
    return undefined;
  return {
    id: "long-timeout",
    message: `a timeout is longer than ${LONGEST_TIMEOUT_SECONDS} seconds`,
    advice: "use a shorter timeout",
  };
}
