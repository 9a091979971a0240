import type { Address } from "../../ipvs/address.js";
import { TCP, UDP } from "../../ipvs/model.js";
import { textOf } from "../../system/files.js";
import { namesIn } from "../../system/kernel-module.js";

/** A listening TCP socket, or an unconnected UDP socket. */
export interface Listener {
  readonly protocol: typeof TCP | typeof UDP;
  /** All zeros: any address. Any IPv6 address includes IPv4, unless the program turned that off */
  readonly address: Address;
  readonly port: number;
}

/** The state of such a socket in the files below: TCP_LISTEN, and TCP_CLOSE for UDP. @see net/tcp_states.h */
const FILES = [
  ["tcp", TCP, "0A"],
  ["tcp6", TCP, "0A"],
  ["udp", UDP, "07"],
  ["udp6", UDP, "07"],
] as const;

/**
 * The listeners of this network namespace.
 *
 * @param procFolder where procfs is
 * @returns undefined if they cannot be read
 */
export function readListeners(procFolder: string): Listener[] | undefined {
  const folder = `${procFolder}/net`;
  const there = namesIn(folder);
  const listeners: Listener[] = [];
  for (const [name, protocol, state] of FILES) {
    const text = textOf(`${folder}/${name}`);
    // A kernel without IPv6 does not have these files.
    if (text === undefined && (!name.endsWith("6") || there.includes(name)))
      return undefined;
    listeners.push(...listenersIn(text ?? "", protocol, state));
  }
  return listeners;
}

/**
 * The listeners in a file of procfs.
 *
 * @see get_tcp4_sock() in net/ipv4/tcp_ipv4.c: addresses are printed as numbers of 32 bits, in the machine's order
 */
export function listenersIn(
  text: string,
  protocol: Listener["protocol"],
  state: string,
): Listener[] {
  const rows = text.matchAll(
    /^ *[0-9]+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) /gm,
  );
  return Array.from(rows).flatMap(([, address = "", port = "", own]) =>
    own === state
      ? [
          {
            protocol,
            address: addressIn(address),
            port: Number.parseInt(port, 16),
          },
        ]
      : [],
  );
}

/** An address of /proc/net. Every supported machine is little-endian. */
export function addressIn(digits: string): Address {
  const bytes = Buffer.from(digits, "hex");
  for (let at = 0; at < bytes.length; at += 4)
    bytes.subarray(at, at + 4).reverse();
  return Uint8Array.from(bytes);
}
