import { check } from "../../check.js";
import type { Finding, Fix } from "../../finding.js";
import { sysctlFix, sysctlNumber } from "../../sysctls.js";

const DROP_PACKET = "net/ipv4/vs/drop_packet";
const DROP_ENTRY = "net/ipv4/vs/drop_entry";
const RATE = "net/ipv4/vs/am_droprate";
const THRESHOLD = "net/ipv4/vs/amemthresh";
/** The automatic mode while memory is low */
const ACTIVE = 2;
/** Always, whatever memory there is */
const ALWAYS = 3;

const MEMORY: Fix = {
  command: "free -m",
  effect:
    "changes nothing; shows whether memory is low, or only amemthresh too high",
};
const UNPROTECTED =
  "IPVS no longer protects its memory: in a flood the machine can run out of it";

/** Defenses of IPVS against floods that drop packets or connections now. @see update_defense_level() in ip_vs_ctl.c */
export const defenses = check(
  ["defense-drops"],
  ["table", "sysctls"],
  ({ table, sysctls }) => {
    if (table.length === 0) return [];
    const found: Finding<"defense-drops">[] = [];
    const threshold = sysctlNumber(sysctls, THRESHOLD);
    const low = `because less memory is available than net.ipv4.vs.amemthresh${threshold === undefined ? "" : `, ${threshold} pages`}`;
    const packets = sysctlNumber(sysctls, DROP_PACKET);
    const rate = sysctlNumber(sysctls, RATE) ?? 0;
    if (packets === ACTIVE || (packets === ALWAYS && rate > 0))
      found.push({
        id: "defense-drops",
        subject: "net.ipv4.vs.drop_packet",
        seen:
          packets === ACTIVE
            ? `net.ipv4.vs.drop_packet is 2: the kernel drops packets that open connections, ${low}`
            : `net.ipv4.vs.drop_packet is 3 and net.ipv4.vs.am_droprate is ${rate}: the kernel drops ${rate === 1 ? "every packet that opens" : `one of ${rate} packets that open`} a connection`,
        next: packets === ACTIVE ? [MEMORY] : [],
        fix: [
          sysctlFix(
            { [DROP_PACKET]: 0 },
            packets === ACTIVE
              ? UNPROTECTED
              : "IPVS no longer protects its memory by dropping packets; 1 does that only while memory is low",
          ),
        ],
      });
    const entries = sysctlNumber(sysctls, DROP_ENTRY);
    if (entries === ACTIVE || entries === ALWAYS)
      found.push({
        id: "defense-drops",
        subject: "net.ipv4.vs.drop_entry",
        seen: `net.ipv4.vs.drop_entry is ${entries}: the kernel removes random connections from the table, ${entries === ALWAYS ? "however much memory there is" : low}`,
        ...(entries === ALWAYS
          ? {
              certainty: "likely" as const,
              evidence: [
                "it is no fault if somebody set it against a flood that goes on now",
              ],
            }
          : {}),
        next: entries === ACTIVE ? [MEMORY] : [],
        fix: [
          sysctlFix(
            { [DROP_ENTRY]: 0 },
            entries === ACTIVE
              ? UNPROTECTED
              : "entries of a flood of SYN packets stay until their timeout; 1 removes them only while memory is low",
          ),
        ],
      });
    return found;
  },
);
