/**
 * Compares the table with a rule file, and applies the file if asked. Says what it does as JSON, one object a line.
 *
 *     node keep-table.js /etc/ipvsadm.rules           # exit status 4 if the table differs
 *     node keep-table.js /etc/ipvsadm.rules --apply
 *
 * It needs CAP_NET_ADMIN, which root has.
 */
import {
  formatChange,
  openIpvs,
  PlanFailed,
  planTable,
  readRuleFile,
  RuleFileUnreadable,
} from "ipvsadm";

const [path, option] = process.argv.slice(2);
if (path === undefined || (option !== undefined && option !== "--apply")) {
  console.error("usage: keep-table FILE [--apply]");
  process.exit(2);
}

function log(event: object): void {
  console.log(JSON.stringify(event));
}

async function keep(file: string): Promise<number> {
  const { table, findings, valid } = await readRuleFile(file);
  for (const { severity, line, message } of findings)
    log({ event: severity, line, message });
  if (!valid) return 1;
  await using ipvs = await openIpvs();
  const plan = await planTable(ipvs, table, { drain: true });
  for (const change of plan.changes)
    log({ event: "differs", change: await formatChange(change) });
  if (option === undefined) return plan.changes.length === 0 ? 0 : 4;
  const { made, kept } = await plan.apply({ drainSeconds: 60 });
  log({ event: "applied", changes: made.length, keptServers: kept.length });
  return kept.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await keep(path);
} catch (error) {
  if (error instanceof RuleFileUnreadable)
    log({ event: "error", message: error.message });
  else if (error instanceof PlanFailed)
    log({
      event: "error",
      message: String(error.cause),
      notRolledBack: error.notRolledBack.length,
    });
  else throw error;
  process.exitCode = 1;
}
