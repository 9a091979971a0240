import { INET6, type Family } from "../../ipvs/address.js";
import type { Firewall } from "./read-firewall.js";

/** The program of iptables for new rules: of the variant that has rules or tables, else of the one that works here, as far as is known. */
export function iptablesProgram(
  { tables, legacyPrograms }: Firewall,
  family: Family,
): string {
  const prefix = family === INET6 ? "ip6tables" : "iptables";
  const programs = tables.filter(({ program }) => program.startsWith(prefix));
  const used = programs.find(({ chains }) =>
    Array.from(chains.values()).some(({ rules }) => rules.length > 0),
  );
  return (
    (used ?? programs[0])?.program ?? legacyPrograms?.get(family) ?? prefix
  );
}
