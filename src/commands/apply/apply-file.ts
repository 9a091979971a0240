import { IpvsAccess } from "../../runtime/ipvs-access.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { compare, isUpToDate } from "../../plan/compare.js";
import type { CurrentState } from "../../plan/current-state.js";
import { makePlan } from "../../plan/plan.js";
import { readCurrentState } from "../../plan/current-state.js";
import type { RuleFile } from "../../rules/rule-file.js";
import { checkSelected, checkWhole, partsOf } from "../../cli/changes/scope.js";
import { lockTable } from "../../cli/changes/lock-table.js";
import { CommandError, UsageError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation } from "../../cli/invocation.js";
import { named, readValidRules } from "../../cli/rule-file.js";
import { checkBackup, writeBackup } from "./backup.js";
import { carryOutPlan } from "./carry-out-plan.js";
import { refuseConfiguration } from "./refuse-configuration.js";
import { reportDryRun, reportUpToDate } from "./apply-report.js";
import { Interrupt } from "../../cli/interrupt.js";
import type { ApplyRequest, PreparedPlan } from "./apply-request.js";

/** Changes the table to match a file. @returns the exit status */
export async function applyFile(
  call: Invocation,
  request: ApplyRequest,
): Promise<number> {
  const { given, io, output } = call;
  const [name = ""] = given.positionals;
  checkQuiet(call, request);
  const file = await readValidRules(name, io, output, refuseConfiguration);
  checkWhole(file, request.scope);
  checkNotEmpty(file);
  const backup = given.text("backup");
  if (backup !== undefined) checkBackup(backup);
  using access = new IpvsAccess(io);
  if (given.flag("dry-run")) {
    const prepared = await preparePlan(
      await access.openWithoutLoading(),
      file,
      request,
      "steady",
    );
    if (isUpToDate(prepared.differences)) reportUpToDate(prepared, call);
    else reportDryRun(prepared, call);
    return EXIT.ok;
  }
  using interrupt = new Interrupt(io);
  using lock = await lockTable(call, request.subcommand, {
    waitSeconds: given.duration("wait") ?? 0,
    signal: interrupt.signal,
  });
  const status = await applyLocked(
    await access.open(),
    file,
    call,
    request,
    interrupt,
  );
  lock.release();
  return status;
}

/** Refuses --quiet with what is asked for only to be printed. */
function checkQuiet({ given }: Invocation, { subcommand }: ApplyRequest): void {
  if (!given.flag("quiet")) return;
  const other = given.flag("dry-run")
    ? "--dry-run"
    : given.text("output") === "json" && "-o json";
  if (other)
    throw new UsageError(`--quiet and ${other} exclude each other`, subcommand);
}

async function applyLocked(
  client: IpvsClient,
  file: RuleFile,
  call: Invocation,
  request: ApplyRequest,
  interrupt: Interrupt,
): Promise<number> {
  const backup = call.given.text("backup");
  // If nothing differs, one reading is enough.
  let prepared = await preparePlan(client, file, request, "once");
  if (!isUpToDate(prepared.differences))
    prepared = await preparePlan(client, file, request, "steady");
  if (isUpToDate(prepared.differences)) {
    reportUpToDate(prepared, call);
    return EXIT.ok;
  }
  if (backup !== undefined) {
    // Check again: while this run waited for the lock, another run may have written the file.
    checkBackup(backup);
    await writeBackup(backup, client, prepared.current);
  }
  return carryOutPlan(client, prepared, request, call, interrupt);
}

/** Refuses a file without any rule. It is probably the result of an error in the program that wrote it. */
function checkNotEmpty(file: RuleFile): void {
  const { services, timeouts, daemons } = file.table;
  if (services.length === 0 && !timeouts && !daemons)
    throw new CommandError(
      `${named(file.name)} contains no rules; nothing was changed`,
      "to remove all services, run 'ipvsadm -C'",
    );
}

/** Reads the current state and makes the plan. */
async function preparePlan(
  client: IpvsClient,
  file: RuleFile,
  request: ApplyRequest,
  how: "once" | "steady",
): Promise<PreparedPlan> {
  const { scope, drain } = request;
  const { table } = file;
  const current = await readCurrentState(client, partsOf(table, scope), how);
  checkSelected(scope, table, current);
  checkKeepsServices(file, current, request);
  const differences = compare(table, current, scope);
  const plan = makePlan(differences, drain !== undefined);
  return { subcommand: request.subcommand, file, current, differences, plan };
}

/** Refuses to remove all services, except with restore: an empty table can be saved and restored. */
function checkKeepsServices(
  file: RuleFile,
  { services }: CurrentState,
  { subcommand, scope }: ApplyRequest,
): void {
  const removesAll =
    scope.prune && !scope.only && file.table.services.length === 0;
  if (subcommand === "apply" && removesAll && services.length > 0)
    throw new CommandError(
      `${named(file.name)} contains no services, but the table has ${services.length}; nothing was changed`,
      "to remove them all, run 'ipvsadm restore' with this file",
    );
}
