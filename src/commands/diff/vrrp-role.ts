import type { Table } from "../../ipvs/table.js";
import type { CurrentState } from "../../plan/current-state.js";
import type { RuleFile } from "../../rules/rule-file.js";

/** The desired table. If VRRP chooses the role of the sync daemon, it is the one that the daemon has now. */
export function withCurrentRole(
  { table, vrrpDaemons }: Pick<RuleFile, "table" | "vrrpDaemons">,
  current: Pick<CurrentState, "daemons">,
): Table {
  const [running, ...others] = current.daemons ?? [];
  const daemon = vrrpDaemons?.find(({ state }) => state === running?.state);
  return daemon && others.length === 0
    ? { ...table, daemons: [daemon] }
    : table;
}
