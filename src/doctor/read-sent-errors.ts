import { textOf } from "../system/files.js";

/** How many messages about packets that could not be delivered this machine has made, also those that its firewall dropped. */
export interface SentErrors {
  /** ICMP destination unreachable with any code: fragmentation needed is one of them */
  readonly unreachable: bigint;
  /** ICMPv6 packet too big */
  readonly tooBig: bigint;
}

/**
 * Reads the kernel's counters in /proc/net/snmp and /proc/net/snmp6. @returns undefined if there are none for IPv4
 *
 * @see icmp_put() in net/ipv4/proc.c, snmp6_seq_show_icmpv6msg() in net/ipv6/proc.c
 */
export function readSentErrors(procFolder: string): SentErrors | undefined {
  const text = textOf(`${procFolder}/net/snmp`);
  return text === undefined
    ? undefined
    : parseSentErrors(text, textOf(`${procFolder}/net/snmp6`) ?? "");
}

/**
 * Parses the counters.
 *
 * @param snmp pairs of lines: the names, and the values
 * @param snmp6 a line for each name. A counter that is 0 can be missing
 */
export function parseSentErrors(
  snmp: string,
  snmp6: string,
): SentErrors | undefined {
  const [names, values] = Array.from(
    snmp.matchAll(/^Icmp: (.*)$/gm),
    ([, line = ""]) => line.split(" "),
  );
  const at = names?.indexOf("OutDestUnreachs") ?? -1;
  const unreachable = counterIn(values?.[at]);
  if (unreachable === undefined) return undefined;
  const tooBig = /^Icmp6OutType2\s+([0-9]+)$/m.exec(snmp6)?.[1];
  return { unreachable, tooBig: counterIn(tooBig) ?? 0n };
}

function counterIn(text = ""): bigint | undefined {
  return /^[0-9]+$/.test(text) ? BigInt(text) : undefined;
}
