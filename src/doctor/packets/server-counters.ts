import type { CountersMeanwhile } from "../read-counters.js";

/** Counters of packets that a real server dropped, and what each says. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  [
    "TcpExt.ListenOverflows",
    "the queue of a program that listens is full, because it does not accept connections fast enough",
  ],
  ["TcpExt.TCPReqQFullDrop", "the queue of half-open connections is full"],
  [
    "TcpExt.IPReversePathFilter",
    "rp_filter drops packets whose answers would leave by another interface",
  ],
  ["IpExt.InNoRoutes", "packets have no route from here"],
  ["Ip.OutNoRoutes", "this machine has no route for its packets"],
  ["Ip6.OutNoRoutes", "this machine has no route for its packets"],
  [
    "Ip.InAddrErrors",
    "packets are for addresses that are not here, or their sources cannot be",
  ],
  ["Ip6.InAddrErrors", "packets are for addresses that are not here"],
  ["Ip.InHdrErrors", "packets have a broken header, or their TTL has run out"],
  ["Ip.ReasmFails", "fragments are missing, or there is no memory for them"],
  ["Ip6.ReasmFails", "fragments are missing, or there is no memory for them"],
  ["Tcp.InCsumErrors", "packets have wrong checksums"],
  ["Udp.InCsumErrors", "datagrams have wrong checksums"],
  ["Udp6.InCsumErrors", "datagrams have wrong checksums"],
  ["Udp.RcvbufErrors", "a program does not read datagrams fast enough"],
  ["Udp6.RcvbufErrors", "a program does not read datagrams fast enough"],
  ["Udp.NoPorts", "no program waits for datagrams at their port"],
  ["Udp6.NoPorts", "no program waits for datagrams at their port"],
]);

const MOST_SHOWN = 3;

/** The counters of dropped packets that grew meanwhile, in words. */
export function grownServerCounters(
  meanwhile: CountersMeanwhile | undefined,
): string[] {
  if (!meanwhile) return [];
  const { before, after } = meanwhile;
  return [...MEANINGS]
    .flatMap(([key, meaning]) => {
      const [old, now] = [before.get(key), after.get(key)];
      if (old === undefined || now === undefined || now <= old) return [];
      return [`${key.replace(".", " ")} grew by ${now - old}: ${meaning}`];
    })
    .slice(0, MOST_SHOWN);
}
