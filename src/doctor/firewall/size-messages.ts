import {
  familyOf,
  formatAddress,
  INET,
  type Address,
} from "../../ipvs/address.js";
import type { Flow } from "./flow.js";
import {
  DESTINATION_UNREACHABLE,
  FRAGMENTATION_NEEDED,
  ICMP,
  ICMPV6,
  PACKET_TOO_BIG,
  type ConntrackState,
  type Packet,
} from "./packet.js";
import type { Range, Stop } from "./walk.js";

/** How messages that ask for smaller packets arrive. */
export interface Arrival {
  /** The names of the interfaces where they may come in; none: not known */
  readonly devices: readonly string[];
  readonly state: ConntrackState;
  /** The chains of the hook input that they pass; all if absent */
  readonly range?: Range;
}

/** The messages of routers that ask for smaller packets, to an address of this machine. */
export function sizeMessagesTo(
  address: Address,
  { devices, state, range }: Arrival,
): Flow {
  const family = familyOf(address);
  const about = {
    family,
    destination: address,
    ...(family === INET
      ? {
          protocol: ICMP,
          icmpType: DESTINATION_UNREACHABLE,
          icmpCode: FRAGMENTATION_NEEDED,
        }
      : { protocol: ICMPV6, icmpType: PACKET_TOO_BIG }),
  };
  const incoming = devices.length === 0 ? [undefined] : devices;
  const packets = incoming.map((name): Packet => ({
    icmpCode: 0,
    ...about,
    incoming: name,
    states: [state],
    destinationIsLocal: true,
  }));
  return {
    text: `${family === INET ? "ICMP messages fragmentation needed" : "ICMPv6 messages packet too big"} to ${formatAddress(address)}`,
    stages: [
      { hook: "prerouting", packets },
      { hook: "input", packets, ...(range ? { range } : {}) },
    ],
    match: about,
  };
}

/**
 * A router puts as much of the packet that is too large into its message as fits into 576 bytes (IPv6: 1280). What else
 * firewalls drop is mostly much smaller.
 */
const LARGE_MESSAGE = 400n;

/** What the counters of a rule say if the packets that it has dropped are as large as such messages; else undefined. */
export function sizeEvidence({ packets, bytes }: Stop): string | undefined {
  if (packets === undefined || bytes === undefined || packets === 0n)
    return undefined;
  const average = bytes / packets;
  return average < LARGE_MESSAGE
    ? undefined
    : `the packets that it has dropped have ${average} bytes on average: about as many as these messages`;
}
