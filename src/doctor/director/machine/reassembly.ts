import { INET, INET6, type Family } from "../../../ipvs/address.js";
import { TCP, type ServiceWithServers } from "../../../ipvs/model.js";
import { check } from "../../check.js";
import { serviceName } from "../../commands.js";
import type { Finding } from "../../finding.js";
import type { Counters } from "../../read-counters.js";
import {
  sysctlFix,
  sysctlName,
  sysctlNumber,
  type Sysctls,
} from "../../sysctls.js";

/** So many failures are no accident. */
const MANY = 5n;
/** What the fragments of a datagram of 64 KB take in memory, with their overhead */
const NEEDED_BYTES = 256 * 1024;
/** The kernel's default */
const USUAL_BYTES = 4 * 1024 * 1024;

/** How much memory fragments may take. Those of IPv6 are reassembled by netfilter, if a service has an IPv6 address. */
const LIMITS: Readonly<Record<Family, readonly string[]>> = {
  2: ["net/ipv4/ipfrag_high_thresh"],
  10: [
    "net/netfilter/nf_conntrack_frag6_high_thresh",
    "net/ipv6/ip6frag_high_thresh",
  ],
};

const FAMILIES: readonly Family[] = [INET, INET6];

/** Fragmented requests, which IPVS gets only as a whole. */
export const reassembly = check(
  ["fragments-not-reassembled"],
  ["table", "sysctls"],
  ({ table, sysctls, counters }) =>
    counters
      ? FAMILIES.flatMap((family) =>
          reassemblyOf(family, table, sysctls, counters),
        )
      : [],
  ({ counters }) => counters !== undefined,
);

function reassemblyOf(
  family: Family,
  table: readonly ServiceWithServers[],
  sysctls: Sysctls,
  counters: Counters,
): Finding<"fragments-not-reassembled">[] {
  // TCP avoids fragments.
  const service = table.find(
    ({ key }) =>
      key.family === family && ("firewallMark" in key || key.protocol !== TCP),
  );
  const counts = reassembledIn(counters, family);
  const { whole, failed } = counts;
  if (!service || failed < MANY) return [];
  const low = LIMITS[family].flatMap((path) => {
    const bytes = sysctlNumber(sysctls, path);
    return bytes !== undefined && bytes < NEEDED_BYTES ? [{ path, bytes }] : [];
  });
  const ip = family === INET ? "IPv4" : "IPv6";
  const shared = {
    id: "fragments-not-reassembled" as const,
    subject: ip,
    evidence: [
      `${serviceName(service)}: requests that are larger than the MTU arrive in fragments`,
    ],
  };
  if (low.length > 0)
    return [
      {
        ...shared,
        // Those that were reassembled are perhaps older than the setting. Netfilter does not count those of IPv6.
        certainty: family === INET && whole === 0n ? "proven" : "likely",
        seen: `${countsText(family, counts)}; ${low
          .map(({ path, bytes }) => `${sysctlName(path)} is ${bytes} bytes`)
          .join(
            ", ",
          )}, too little for one datagram of 64 KB, which takes up to ${NEEDED_BYTES}`,
        fix: [
          sysctlFix(
            Object.fromEntries(low.map(({ path }) => [path, USUAL_BYTES])),
            `fragments of ${ip} may take 4 MB of memory, the kernel's default; a flood of fragments is still limited to that`,
          ),
        ],
      },
    ];
  return family === INET6 || whole > 0n
    ? []
    : [
        {
          ...shared,
          certainty: "likely",
          seen: `${countsText(family, counts)}; there is memory enough for them, so a part of the fragments does not arrive here`,
          cure: "Find out where fragments are lost. Later fragments have no ports: a firewall here or on the way drops them if it accepts by port, or with `-f` (iptables). Look at net.ipv4.ipfrag_time (30 seconds is usual) and net.ipv4.ipfrag_max_dist (64 is usual), too. `tcpdump -n 'ip[6:2] & 0x3fff != 0'` shows the fragments that arrive.",
          fix: [],
        },
      ];
}

function countsText(
  family: Family,
  { requests, whole, failed }: ReturnType<typeof reassembledIn>,
): string {
  // Netfilter counts only failures of IPv6.
  if (family === INET6)
    return `${failed} attempts to put fragments together failed`;
  return whole === 0n
    ? `${failed} of ${requests} fragments could not be put together, and no datagram ever was`
    : `${failed} of ${requests} fragments could not be put together; ${whole} datagrams were, perhaps before the setting was changed`;
}

/** What became of fragments since boot. */
function reassembledIn(counters: Counters, family: Family) {
  const group = family === INET ? "Ip" : "Ip6";
  const count = (name: string) => counters.get(`${group}.${name}`) ?? 0n;
  return {
    requests: count("ReasmReqds"),
    whole: count("ReasmOKs"),
    failed: count("ReasmFails"),
  };
}
