import { IpvsAccess } from "../../runtime/ipvs-access.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { compare, isEqual, type Existing } from "../../plan/compare.js";
import { planOf } from "../../plan/plan.js";
import { readExisting } from "../../plan/snapshot.js";
import type { RuleFile } from "../../rules/file.js";
import { checkSelected, checkWhole, partsOf } from "../../cli/changes/scope.js";
import { CommandError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation } from "../../cli/invocation.js";
import { named, readSoundRules } from "../../cli/rule-file.js";
import { checkBackup, writeBackup } from "./backup.js";
import { changeTable } from "./change-table.js";
import { lockTable } from "./lock-table.js";
import { reportDryRun, reportEqual } from "./report.js";
import { Signals } from "./signals.js";
import type { Wish, Work } from "./work.js";

/** Makes the table as a file has it. @returns the exit status */
export async function makeTable(call: Invocation, wish: Wish): Promise<number> {
  const { given, io, output } = call;
  const [name = ""] = given.positionals;
  const file = await readSoundRules(name, io, output);
  checkWhole(file, wish.scope);
  checkSpeaks(file);
  const backup = given.text("backup");
  if (backup !== undefined) checkBackup(backup);
  using access = new IpvsAccess(io);
  if (given.flag("dry-run")) {
    const work = await look(await access.open(), file, wish, "steady");
    if (isEqual(work.differences)) reportEqual(work, call);
    else reportDryRun(work, call);
    return EXIT.ok;
  }
  using signals = new Signals(io);
  using lock = await lockTable(call, wish.subcommand, signals.signal);
  const status = await makeLocked(
    await access.open(),
    file,
    call,
    wish,
    signals,
  );
  lock.release();
  return status;
}

async function makeLocked(
  client: IpvsClient,
  file: RuleFile,
  call: Invocation,
  wish: Wish,
  signals: Signals,
): Promise<number> {
  const backup = call.given.text("backup");
  // Where nothing differs, a single reading shows it.
  let work = await look(client, file, wish, "once");
  if (!isEqual(work.differences))
    work = await look(client, file, wish, "steady");
  if (isEqual(work.differences)) {
    reportEqual(work, call);
    return EXIT.ok;
  }
  if (backup !== undefined) {
    // Once more: another run, for whose lock this one waited, may have written it.
    checkBackup(backup);
    await writeBackup(backup, client, work.existing);
  }
  return changeTable(client, work, wish, call, signals);
}

/** A file that says nothing is hardly meant: whatever was to write it went wrong. */
function checkSpeaks(file: RuleFile): void {
  const { services, timeouts, daemons } = file.table;
  if (services.length === 0 && !timeouts && !daemons)
    throw new CommandError(
      `${named(file.name)} says nothing, so nothing was changed`,
      "'ipvsadm -C' removes all services, if that is meant",
    );
}

/** Reads what the kernel has, and finds out what is to be done. */
async function look(
  client: IpvsClient,
  file: RuleFile,
  wish: Wish,
  how: "once" | "steady",
): Promise<Work> {
  const { scope, drain } = wish;
  const { table } = file;
  const existing = await readExisting(client, partsOf(table, scope), how);
  checkSelected(scope, table, existing);
  checkRemains(file, existing, wish);
  const differences = compare(table, existing, scope);
  const plan = planOf(differences, drain !== undefined);
  return { subcommand: wish.subcommand, file, existing, differences, plan };
}

/** That all services are to go is hardly meant either, unless such a table was saved. */
function checkRemains(
  file: RuleFile,
  { services }: Existing,
  { subcommand, scope }: Wish,
): void {
  const empties =
    scope.prune && !scope.only && file.table.services.length === 0;
  if (subcommand === "apply" && empties && services.length > 0)
    throw new CommandError(
      `${named(file.name)} has no service, and the table has ${services.length}: nothing was changed`,
      "'ipvsadm restore' removes them all, if that is meant",
    );
}
