import { INET, INET6, type Family } from "../../ipvs/address.js";
import { listOf, member, textOf, type Json } from "./json.js";
import { stepsOf, type NamedSets } from "./nft-expression.js";
import { nftRuleText } from "./nft-text.js";
import type { Hook } from "./packet.js";
import type { Base, Chain, Rule, Table } from "./ruleset.js";

/** Which packets the tables of a family see. Those of arp, bridge and netdev are about other packets, or earlier hooks. */
const FAMILIES: Readonly<Record<string, readonly Family[]>> = {
  ip: [INET],
  ip6: [INET6],
  inet: [INET, INET6],
};

const HOOKS: ReadonlySet<string> = new Set<Hook>([
  "prerouting",
  "input",
  "forward",
  "output",
  "postrouting",
]);

interface GrowingTable extends Table {
  readonly chains: Map<string, Chain & { readonly rules: Rule[] }>;
  readonly sets: Map<string, readonly Json[]>;
}

/**
 * Parses the output of `nft -j list ruleset`.
 *
 * @throws {SyntaxError} if it is not JSON, or not of this form
 * @see libnftables-json(5)
 */
export function parseNftJson(text: string): {
  tables: Table[];
  /** Families of tables that packets pass elsewhere: `bridge`, `netdev`. `arp` is not about IP */
  otherFamilies: string[];
} {
  const document = JSON.parse(text) as Json;
  const objects = member(document, "nftables");
  if (!Array.isArray(objects)) throw new SyntaxError("no member nftables");
  const list = objects as readonly Json[];
  const tables = new Map<string, GrowingTable>();
  const others = new Set<string>();
  const tableOf = (object: Json, name: Json | undefined) =>
    tables.get(`${textOf(member(object, "family"))} ${textOf(name)}`);
  for (const object of list) {
    const table = member(object, "table");
    if (table !== undefined) addTable(tables, others, table);
    const chain = member(object, "chain");
    if (chain !== undefined)
      addChain(tableOf(chain, member(chain, "table")), chain);
    const set = member(object, "set") ?? member(object, "map");
    if (set !== undefined)
      tableOf(set, member(set, "table"))?.sets.set(
        textOf(member(set, "name")),
        listOf(member(set, "elem")),
      );
  }
  for (const object of list) {
    const rule = member(object, "rule");
    if (rule === undefined) continue;
    const table = tableOf(rule, member(rule, "table"));
    if (table) addRule(table, rule);
  }
  return { tables: [...tables.values()], otherFamilies: [...others] };
}

function addTable(
  tables: Map<string, GrowingTable>,
  others: Set<string>,
  table: Json,
): void {
  const family = textOf(member(table, "family"));
  const name = textOf(member(table, "name"));
  const families = FAMILIES[family];
  if (!families) {
    if (family !== "arp") others.add(family);
    return;
  }
  const flags = listOf(member(table, "flags") ?? []);
  // A dormant table sees no packets.
  if (flags.includes("dormant")) return;
  tables.set(`${family} ${name}`, {
    program: "nft",
    families,
    nftFamily: family,
    name,
    chains: new Map(),
    sets: new Map(),
  });
}

function addChain(table: GrowingTable | undefined, chain: Json): void {
  const name = textOf(member(chain, "name"));
  const hook = textOf(member(chain, "hook"));
  const priority = member(chain, "prio");
  const base: Base | undefined =
    isHook(hook) && typeof priority === "number"
      ? {
          hook,
          priority,
          nat: member(chain, "type") === "nat",
          policy: member(chain, "policy") === "drop" ? "drop" : "accept",
          policyPackets: undefined,
        }
      : undefined;
  table?.chains.set(name, { name, base, rules: [] });
}

function addRule(table: GrowingTable, rule: Json): void {
  const expressions = listOf(member(rule, "expr"));
  const sets: NamedSets = (name) => table.sets.get(name);
  const handle = member(rule, "handle");
  table.chains.get(textOf(member(rule, "chain")))?.rules.push({
    text: nftRuleText(expressions, member(rule, "comment")),
    packets: countOf(expressions, "packets"),
    bytes: countOf(expressions, "bytes"),
    steps: expressions.flatMap((one) => stepsOf(one, sets)),
    ...(typeof handle === "number" ? { handle } : {}),
  });
}

/** What the last counter of a rule says, which is nearest to its verdict. */
function countOf(
  expressions: readonly Json[],
  what: "packets" | "bytes",
): bigint | undefined {
  const counters = expressions.flatMap((one) => {
    const count = member(member(one, "counter"), what);
    return typeof count === "number" ? [BigInt(count)] : [];
  });
  return counters.at(-1);
}

function isHook(text: string): text is Hook {
  return HOOKS.has(text);
}
