import { check } from "../check.js";
import type { Finding } from "../finding.js";
import { sysctlFix } from "../sysctls.js";

const MOST = "net/netfilter/nf_conntrack_max";

/** A full table of connection tracking on a real server. */
export const trackedLimit = check(
  ["server-tracks-no-more"],
  ["limits"],
  ({ limits: { tracked, mostTracked } }): Finding<"server-tracks-no-more">[] =>
    tracked === undefined ||
    mostTracked === undefined ||
    mostTracked <= 0 ||
    tracked < mostTracked
      ? []
      : [
          {
            id: "server-tracks-no-more",
            seen: `connection tracking has ${tracked} entries, and net.netfilter.nf_conntrack_max allows ${mostTracked}`,
            fix: [
              sysctlFix(
                { [MOST]: 2 * mostTracked },
                "more entries take more memory",
              ),
            ],
          },
        ],
);
