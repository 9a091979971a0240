/** The schedulers of Linux and what they go by. Each is a module of its own, ip_vs_NAME. @see net/netfilter/ipvs/ */
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

/** The persistence engines of Linux. Each is a module of its own, ip_vs_pe_NAME. */
export const PERSISTENCE_ENGINES: ReadonlyMap<string, string> = new Map([
  ["sip", "a SIP call stays with its server, by its Call-ID"],
]);
