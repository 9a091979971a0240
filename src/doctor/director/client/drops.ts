import type { CountersMeanwhile } from "../../read-counters.js";
import type { TraceStep } from "./trace-step.js";

const HEADERS = "packets with a broken header, or whose TTL has run out";
const ADDRESSES =
  "packets for addresses that are not here, while forwarding is off, or with sources that cannot be";
const NO_ROUTE_ON = "packets that came in have no route from here";
const IN_DISCARDS =
  "packets were dropped on their way in, without another reason";
const OUT_DISCARDS =
  "packets were dropped on their way out: perhaps a full queue of an interface, or a neighbor that does not answer";
const OUT_NO_ROUTES = "this machine had no route for packets that it sends";
const FRAGMENTED =
  "packets are larger than an MTU on their way and may not be fragmented";
const CHECKSUMS =
  "packets with wrong checksums: perhaps an interface that computes them (ethtool -k)";
const LISTENERS =
  "a program on this machine does not accept connections fast enough; it matters for local servers only";
const DATAGRAMS =
  "a program on this machine does not read datagrams fast enough; it matters for local servers only";
const FAMILY_TABLE =
  "counted over all network namespaces of this machine, as the kernel has one table";

/** What each counter of lost packets says, the most telling first. Each is perhaps about other packets than the client's. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  [
    "Ip.ReasmFails",
    "fragments could not be put together, so requests larger than the MTU are lost: 'ipvsadm doctor' checks the memory for them",
  ],
  [
    "Ip6.ReasmFails",
    "fragments could not be put together, so requests larger than the MTU are lost: 'ipvsadm doctor' checks the memory for them",
  ],
  ["Ip.FragFails", FRAGMENTED],
  ["Ip6.FragFails", FRAGMENTED],
  [
    "TcpExt.IPReversePathFilter",
    "rp_filter dropped packets whose answers would leave by another interface",
  ],
  ["IpExt.InNoRoutes", NO_ROUTE_ON],
  ["Ip6.InNoRoutes", NO_ROUTE_ON],
  ["Ip.OutNoRoutes", OUT_NO_ROUTES],
  ["Ip6.OutNoRoutes", OUT_NO_ROUTES],
  ["Ip.InAddrErrors", ADDRESSES],
  ["Ip6.InAddrErrors", ADDRESSES],
  ["Ip.InHdrErrors", HEADERS],
  ["Ip6.InHdrErrors", HEADERS],
  [
    "conntrack.drop",
    "connection tracking dropped packets: perhaps its table is full (net.netfilter.nf_conntrack_max)",
  ],
  [
    "conntrack.early_drop",
    "connection tracking removed connections early, because its table is full",
  ],
  [
    "conntrack.insert_failed",
    "connection tracking dropped the first packets of connections that were in its table already: perhaps two clients behind the same NAT",
  ],
  [
    "conntrack.invalid",
    "connection tracking knows no connection of these packets; a rule that drops the state INVALID drops them",
  ],
  [
    "arp_cache.table_fulls",
    `the table of neighbors is full (net.ipv4.neigh.default.gc_thresh3); ${FAMILY_TABLE}`,
  ],
  [
    "arp_cache.unresolved_discards",
    `packets were dropped that waited for a neighbor to answer ARP; ${FAMILY_TABLE}`,
  ],
  ["arp_cache.res_failed", `neighbors did not answer ARP; ${FAMILY_TABLE}`],
  [
    "ndisc_cache.table_fulls",
    `the table of IPv6 neighbors is full (net.ipv6.neigh.default.gc_thresh3); ${FAMILY_TABLE}`,
  ],
  [
    "ndisc_cache.unresolved_discards",
    `packets were dropped that waited for a neighbor to answer neighbor discovery; ${FAMILY_TABLE}`,
  ],
  [
    "ndisc_cache.res_failed",
    `neighbors did not answer neighbor discovery; ${FAMILY_TABLE}`,
  ],
  ["Ip.OutDiscards", OUT_DISCARDS],
  ["Ip6.OutDiscards", OUT_DISCARDS],
  ["Ip.InDiscards", IN_DISCARDS],
  ["Ip6.InDiscards", IN_DISCARDS],
  ["IpExt.InCsumErrors", CHECKSUMS],
  ["Tcp.InCsumErrors", CHECKSUMS],
  ["Udp.InCsumErrors", CHECKSUMS],
  ["Udp6.InCsumErrors", CHECKSUMS],
  ["TcpExt.ListenOverflows", LISTENERS],
  ["TcpExt.ListenDrops", LISTENERS],
  ["TcpExt.TCPReqQFullDrop", LISTENERS],
  ["Udp.RcvbufErrors", DATAGRAMS],
  ["Udp6.RcvbufErrors", DATAGRAMS],
  ["Udp.InErrors", "datagrams were dropped on their way to a program"],
  ["Udp6.InErrors", "datagrams were dropped on their way to a program"],
]);

const OF_INTERFACES: readonly (readonly [string, string])[] = [
  [
    "rx_errors",
    "the interface received broken packets: perhaps its cable or its port",
  ],
  [
    "rx_dropped",
    "the interface dropped packets that it received: perhaps a full ring, or a protocol or VLAN that nothing here uses",
  ],
  ["tx_errors", "the interface could not send packets"],
  ["tx_dropped", "the interface dropped packets that it had to send"],
];

/** These can concern single requests of a client whose other packets pass, if they grow by more than a stray fragment. */
const OF_FRAGMENTS: ReadonlySet<string> = new Set([
  "Ip.ReasmFails",
  "Ip6.ReasmFails",
  "Ip.FragFails",
  "Ip6.FragFails",
]);

const MANY_FRAGMENTS = 5n;

/** More of them would hide the rest. */
const MOST_SHOWN = 8;

/**
 * The counters of lost packets that grew while a client was followed, a step for each.
 *
 * @param passes the client is answered: only counters that can concern single requests are of interest
 */
export function dropSteps(
  meanwhile: CountersMeanwhile | undefined,
  passes: boolean,
): TraceStep[] {
  if (!meanwhile) return [];
  const { before, after } = meanwhile;
  const grown = (key: string) => {
    const [old, now] = [before.get(key), after.get(key)];
    return old !== undefined && now !== undefined && now > old ? now - old : 0n;
  };
  const known = [...MEANINGS].filter(
    ([key]) => !passes || OF_FRAGMENTS.has(key),
  );
  const interfaces = passes
    ? []
    : OF_INTERFACES.flatMap(([column, meaning]) =>
        [...after.keys()]
          .filter((key) => key.endsWith(`.${column}`))
          .map((key) => [key, meaning] as const),
      );
  const texts = [...known, ...interfaces].flatMap(([key, meaning]) => {
    const more = grown(key);
    return more >= (passes ? MANY_FRAGMENTS : 1n)
      ? [`${nameOf(key)} grew by ${more}: ${meaning}`]
      : [];
  });
  const left = texts.length - MOST_SHOWN;
  const shown = texts.slice(0, MOST_SHOWN);
  if (left > 0) shown.push(`${left} more counters of lost packets grew`);
  return shown.map((text) => ({ step: "drops", state: "unknown", text }));
}

/** `Ip ReasmFails`, `eth0.100 rx_dropped` */
function nameOf(key: string): string {
  const at = key.lastIndexOf(".");
  return `${key.slice(0, at)} ${key.slice(at + 1)}`;
}
