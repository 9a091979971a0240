import { textOf } from "../system/files.js";

/**
 * The kernel's counters of this network namespace by group and name: `Ip.ReasmFails`, `Ip6.ReasmFails`, `TcpExt.ListenDrops`,
 * `conntrack.drop`, `arp_cache.res_failed`, `eth0.rx_dropped`.
 */
export type Counters = ReadonlyMap<string, bigint>;

/** The kernel's counters before and after a client was followed. */
export interface CountersMeanwhile {
  readonly before: Counters;
  readonly after: Counters;
}

/** @returns undefined if the counters of IPv4 cannot be read */
export function readCounters(procFolder: string): Counters | undefined {
  const text = (name: string) => textOf(`${procFolder}/net/${name}`) ?? "";
  const snmp = textOf(`${procFolder}/net/snmp`);
  if (snmp === undefined) return undefined;
  return new Map([
    ...pairsIn(snmp),
    ...pairsIn(text("netstat")),
    ...linesIn(text("snmp6")),
    ...tableIn("conntrack", text("stat/nf_conntrack")),
    ...tableIn("arp_cache", text("stat/arp_cache")),
    ...tableIn("ndisc_cache", text("stat/ndisc_cache")),
    ...interfacesIn(text("dev")),
  ]);
}

/** Pairs of lines, the names and the values. @see snmp_seq_show() in net/ipv4/proc.c */
export function pairsIn(text: string): Map<string, bigint> {
  const found = new Map<string, bigint>();
  const rows = text.matchAll(/^(\w+): (\D.*)\n\1: (.*)$/gm);
  for (const [, group = "", names = "", values = ""] of rows) {
    const all = values.trim().split(/ +/);
    names
      .trim()
      .split(/ +/)
      .forEach((name, i) => {
        add(found, `${group}.${name}`, all[i]);
      });
  }
  return found;
}

/** A name and its value on each line. @see snmp6_seq_show_item() in net/ipv6/proc.c */
export function linesIn(text: string): Map<string, bigint> {
  const found = new Map<string, bigint>();
  const rows = text.matchAll(/^(Ip6|Icmp6|Udp6|UdpLite6)(\w+)\s+([0-9]+)$/gm);
  for (const [, group = "", name = "", value] of rows)
    add(found, `${group}.${name}`, value);
  return found;
}

/** A line of names, then one of hexadecimal values for each processor. @see ct_cpu_seq_show() in nf_conntrack_standalone.c */
export function tableIn(group: string, text: string): Map<string, bigint> {
  const [head = "", ...rows] = text.trim().split("\n");
  const names = head.trim().split(/\s+/);
  const sums = new Map<string, bigint>();
  for (const row of rows)
    row
      .trim()
      .split(/\s+/)
      .forEach((value, i) => {
        const name = names[i];
        if (name === undefined || !/^[0-9a-f]+$/.test(value)) return;
        const key = `${group}.${name}`;
        sums.set(key, (sums.get(key) ?? 0n) + BigInt(`0x${value}`));
      });
  return sums;
}

/** The columns of /proc/net/dev that count lost packets. @see dev_seq_printf_stats() in net/core/net-procfs.c */
const COLUMNS = [
  ["rx_errors", 2],
  ["rx_dropped", 3],
  ["tx_errors", 10],
  ["tx_dropped", 11],
] as const;

export function interfacesIn(text: string): Map<string, bigint> {
  const found = new Map<string, bigint>();
  for (const [, name = "", rest = ""] of text.matchAll(
    /^ *(\S+): *([0-9][0-9 ]*)$/gm,
  )) {
    const values = rest.trim().split(/ +/);
    for (const [column, at] of COLUMNS)
      add(found, `${name}.${column}`, values[at]);
  }
  return found;
}

function add(found: Map<string, bigint>, key: string, value = ""): void {
  if (/^[0-9]+$/.test(value)) found.set(key, BigInt(value));
}
