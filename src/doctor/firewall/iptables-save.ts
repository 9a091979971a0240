import { INET, type Family } from "../../ipvs/address.js";
import type { Hook } from "./packet.js";
import { ruleOf } from "./iptables-rule.js";
import type { Base, Chain, Rule, Table } from "./ruleset.js";

const HOOKS: Readonly<Record<string, Hook>> = {
  PREROUTING: "prerouting",
  INPUT: "input",
  FORWARD: "forward",
  OUTPUT: "output",
  POSTROUTING: "postrouting",
};

/** @see enum nf_ip_hook_priorities in linux/netfilter_ipv4.h */
const PRIORITIES: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
};
/** The table nat changes sources after all other tables. */
const SOURCE_NAT_PRIORITY = 100;

/**
 * Parses the output of `iptables-save -c`.
 *
 * @param program which program manages these rules: `iptables-legacy`
 */
export function parseIptablesSave(
  text: string,
  family: Family,
  program: string,
): Table[] {
  const tables: Table[] = [];
  let name = "";
  let chains = new Map<string, { base: Base | undefined; rules: Rule[] }>();
  for (const line of text.split("\n")) {
    if (line.startsWith("*")) {
      name = line.slice(1).trim();
      chains = new Map();
    } else if (line.startsWith(":")) {
      const [, chain = "", policy = "", packets, bytes] =
        /^:(\S+) (\S+)(?: \[([0-9]+):([0-9]+)\])?/.exec(line) ?? [];
      chains.set(chain, {
        base: baseOf(name, chain, policy, packets, bytes),
        rules: [],
      });
    } else if (line.trim() === "COMMIT") {
      tables.push({
        program,
        families: [family],
        nftFamily: family === INET ? "ip" : "ip6",
        name,
        chains: new Map(
          Array.from(chains, ([chain, rest]): [string, Chain] => [
            chain,
            { name: chain, ...rest },
          ]),
        ),
      });
    } else {
      const parts = /^(?:\[([0-9]+):([0-9]+)\] )?-A (\S+) ?(.*)$/.exec(line);
      if (!parts) continue;
      const [, packets, bytes, chain = "", rest = ""] = parts;
      const rule = ruleOf(rest, family, name, (one) => chains.has(one));
      chains.get(chain)?.rules.push({
        ...rule,
        packets: count(packets),
        bytes: count(bytes),
      });
    }
  }
  return tables;
}

function baseOf(
  table: string,
  chain: string,
  policy: string,
  packets: string | undefined,
  bytes: string | undefined,
): Base | undefined {
  const hook = HOOKS[chain];
  if (hook === undefined || policy === "-") return undefined;
  const late = table === "nat" && (hook === "postrouting" || hook === "input");
  return {
    hook,
    priority: late ? SOURCE_NAT_PRIORITY : (PRIORITIES[table] ?? 0),
    nat: table === "nat",
    policy: policy === "DROP" ? "drop" : "accept",
    policyPackets: count(packets),
    policyBytes: count(bytes),
  };
}

function count(packets: string | undefined): bigint | undefined {
  return packets === undefined ? undefined : BigInt(packets);
}
