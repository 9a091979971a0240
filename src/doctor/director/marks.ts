import type { ServiceWithServers } from "../../ipvs/model.js";
import { decodeUtf8 } from "../../text/utf8.js";
import { check } from "../check.js";
import { ofService } from "../commands.js";
import type { Finding } from "../finding.js";
import type { Firewall } from "../firewall/read-firewall.js";
import type { Chain, Table, Verdict } from "../firewall/ruleset.js";

/** Hooks whose marks IPVS sees */
const EARLY: ReadonlySet<string> = new Set(["prerouting", "input"]);

/** Services by firewall mark whose mark no rule sets. */
export const marks = check(
  ["mark-unset"],
  ["table", "firewall"],
  ({ table, firewall }) =>
    table.flatMap(({ key, servers }): Finding<"mark-unset">[] => {
      if (!("firewallMark" in key)) return [];
      const mark = key.firewallMark;
      if (isMarkSet(firewall, key.family, mark)) return [];
      const setters = settersOf(firewall, key.family, mark);
      const [late] = setters;
      return [
        {
          id: "mark-unset",
          ...ofService({ key }),
          seen: late
            ? `only chain ${decodeUtf8(late.chain)} sets mark ${mark}, and requests do not pass it before IPVS`
            : `no rule sets mark ${mark}`,
          evidence: tcEvidence(servers),
          fix: [
            {
              command: `${key.family === 2 ? "iptables" : "ip6tables"} -t mangle -A PREROUTING -d ADDRESS -p PROTOCOL --dport PORT -j MARK --set-mark ${mark}`,
              effect:
                "these packets carry the mark, which routing rules may also use",
            },
          ],
        },
      ];
    }),
);

/** Whether a rule sets a mark before IPVS sees it, as far as is known: a rule that could not be read may do so. */
export function isMarkSet(
  firewall: Firewall,
  family: number,
  mark: number,
): boolean {
  return (
    firewall.unread.length > 0 ||
    settersOf(firewall, family, mark).some(({ early }) => early)
  );
}

/** Something that is no firewall rule may have set the mark. */
function tcEvidence(servers: ServiceWithServers["servers"]): string[] {
  const packets = servers.reduce(
    (sum, { stats }) => sum + Number(stats.inPackets),
    0,
  );
  return packets === 0
    ? ["its servers never got a packet"]
    : [
        `its servers got ${packets} packets before: a rule was removed, or tc sets the mark`,
      ];
}

/** The base chains whose rules, or rules of chains that they call, set a mark. */
function settersOf(
  { tables }: Firewall,
  family: number,
  mark: number,
): { chain: string; early: boolean }[] {
  return tables
    .filter(({ families }) => families.some((one) => one === family))
    .flatMap((table) =>
      Array.from(table.chains.values()).flatMap((chain) =>
        chain.base && setsMark(table, chain, mark, new Set())
          ? [{ chain: chain.name, early: EARLY.has(chain.base.hook) }]
          : [],
      ),
    );
}

/** Whether a change of bits, `(old & ~mask) ^ value`, helps to make a mark: it sets one of its bits, and no other. */
function makesMark(
  { value, mask }: { readonly value: number; readonly mask: number },
  mark: number,
): boolean {
  return (value & mark) !== 0 && ((value ^ mark) & mask) === 0;
}

function setsMark(
  table: Table,
  chain: Chain,
  mark: number,
  seen: Set<Chain>,
): boolean {
  if (seen.has(chain)) return false;
  seen.add(chain);
  const verdicts = chain.rules.flatMap(({ steps }) =>
    steps.flatMap((step): Verdict[] => {
      if ("then" in step) return [step.then];
      return "cases" in step ? step.cases.map(({ then }) => then) : [];
    }),
  );
  return verdicts.some((verdict) => {
    if (verdict.does === "mark-from-elsewhere") return true;
    if (verdict.does === "mark") return makesMark(verdict, mark);
    if (verdict.does !== "jump" && verdict.does !== "goto") return false;
    const target = table.chains.get(verdict.chain);
    return target !== undefined && setsMark(table, target, mark, seen);
  });
}
