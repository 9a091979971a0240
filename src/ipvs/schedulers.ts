/**
 * Linux's schedulers with their descriptions. Each is a kernel module ip_vs_NAME.
 *
 * @see net/netfilter/ipvs/
 */
export const SCHEDULERS: ReadonlyMap<string, string> = new Map([
  ["rr", "round robin"],
  ["wrr", "weighted round robin"],
  ["lc", "least connections"],
  ["wlc", "weighted least connections, the default"],
  ["lblc", "locality-based least connections"],
  ["lblcr", "locality-based least connections with replication"],
  ["dh", "destination hashing"],
  ["sh", "source hashing"],
  ["mh", "Maglev hashing"],
  ["sed", "shortest expected delay"],
  ["nq", "never queue"],
  ["fo", "weighted failover"],
  ["ovf", "weighted overflow"],
]);

/** Linux's persistence engines with their descriptions. Each is a kernel module ip_vs_pe_NAME. */
export const PERSISTENCE_ENGINES: ReadonlyMap<string, string> = new Map([
  ["sip", "SIP calls stay with their server, by Call-ID"],
]);
