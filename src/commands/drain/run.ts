import { openFor } from "../../cli/open-ipvs.js";
import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { jsonText } from "../../document/json-text.js";
import { aboutServer } from "../../document/key-members.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { KernelRefusal } from "../../ipvs/errors.js";
import type { ServerEntry } from "../../ipvs/model.js";
import { ENOENT } from "../../netlink/errno.js";
import { symbolText } from "../../netlink/errno.js";
import { OutputFailed } from "../../system/atomic-file.js";
import { statusOf } from "../../system/signals.js";
import type { Output } from "../../cli/output.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import { shortDuration } from "../../cli/units.js";
import { SavedWeight } from "../../drain/saved-weight.js";
import { lockWeight } from "./lock-weight.js";
import { findServer, type Target } from "./find-server.js";
import { connectionsText, weightText } from "./drain-text.js";
import { waitWithProgress, type WaitResult } from "./wait-until-empty.js";
import { warningsOf } from "./drain-warnings.js";
import { readMachine, requireArguments } from "../../cli/machine.js";
import { drainMachine } from "./drain-machine.js";
import { mustWait } from "./wait-options.js";

/** The result of draining a server. */
interface DrainResult {
  readonly state:
    | "dry-run"
    | "draining"
    | "empty"
    | "removed"
    | "absent"
    | "undrained"
    | "timeout"
    | "interrupted";
  /** The last reading; undefined if the server is not in the table any more */
  readonly entry: ServerEntry | undefined;
  readonly waited?: WaitResult;
}

export const run: RunSubcommand = async (call) => {
  const { given, io, output } = call;
  const machine = await readMachine(given, io.names, "drain");
  if (machine) return drainMachine(machine, call);
  requireArguments(given, ["SERVICE", "SERVER"], "drain");
  using access = new IpvsAccess(io);
  const client = await openFor(access, given);
  if (given.flag("dry-run")) return await dryRun(client, call);
  const { target, saved, before } = await drainLocked(client, call);
  const text = given.text("output") !== "json";
  if (text) {
    output.write(`${target.name}: ${startText(target, before)}\n`);
    io.flush();
  }
  for (const [fault, advice] of warningsOf(target, io))
    output.warn(fault, advice);
  const result = await finishDraining(client, target, call);
  if (result.state === "removed" || result.state === "absent") saved.remove();
  if (!text) output.write(`${jsonText(resultJson(target, before, result))}\n`);
  return reportResult(result, target, before, text, call);
};

/** Prints what would be done. Takes no lock and changes nothing. */
async function dryRun(client: IpvsClient, call: Invocation): Promise<number> {
  const { given, io, output } = call;
  const target = await findServer(client, given.positionals, io.names);
  const { entry, name } = target;
  const { weight } = entry.settings;
  if (given.text("output") === "json") {
    const drained = { ...entry, settings: { ...entry.settings, weight: 0 } };
    const result = { state: "dry-run" as const, entry: drained };
    output.write(`${jsonText(resultJson(target, weight, result))}\n`);
    return EXIT.ok;
  }
  const change =
    weight === 0 ? "weight is already 0" : `weight ${weight} would become 0`;
  const removal = given.flag("remove")
    ? "; the server would be removed when it is empty"
    : "";
  output.write(`${name}: ${change}; ${connectionsText(entry)}${removal}\n`);
  return EXIT.ok;
}

/** Finds the server and sets its weight to 0, while no other process changes weights. */
async function drainLocked(client: IpvsClient, call: Invocation) {
  const { given, io, output } = call;
  using lock = await lockWeight(call, "drain");
  const target = await findServer(client, given.positionals, io.names);
  const saved = new SavedWeight(io, target);
  const before = await setWeightToZero(client, target, saved, output);
  lock?.release();
  return { target, saved, before };
}

/**
 * Saves the weight of the server and sets it to 0.
 *
 * @returns the weight before it was drained; undefined if it is unknown
 */
async function setWeightToZero(
  client: IpvsClient,
  { service, server, entry, words }: Target,
  saved: SavedWeight,
  output: Output,
): Promise<number | undefined> {
  const { settings } = entry;
  if (settings.weight === 0) {
    const found = saved.read();
    return found.kind === "weight" ? found.weight : undefined;
  }
  try {
    saved.save(settings.weight);
  } catch (error) {
    if (!(error instanceof OutputFailed)) throw error;
    output.warn(
      `cannot save the weight ${settings.weight}: cannot write ${error.path}: ${symbolText(error.code)}`,
      `to restore it later, run 'ipvsadm undrain ${words} --weight ${settings.weight}'`,
    );
  }
  try {
    await client.editServer(service, server, { ...settings, weight: 0 });
  } catch (error) {
    if (error instanceof KernelRefusal) saved.remove(); // the weight was not changed
    throw error;
  }
  return settings.weight;
}

function startText({ entry }: Target, before: number | undefined): string {
  const weight =
    entry.settings.weight !== 0
      ? weightText(before)
      : before === undefined
        ? "weight is already 0, no saved weight"
        : `weight is already 0 (was ${before})`;
  return `${weight}; ${connectionsText(entry)}`;
}

/** Waits and removes the server, if the options ask for it. */
async function finishDraining(
  client: IpvsClient,
  target: Target,
  call: Invocation,
): Promise<DrainResult> {
  const { given } = call;
  const timeoutSeconds = given.duration("timeout");
  if (!mustWait(given)) {
    const settings = { ...target.entry.settings, weight: 0 };
    return { state: "draining", entry: { ...target.entry, settings } };
  }
  const waited = await waitWithProgress(client, [target], timeoutSeconds, call);
  const [server] = waited.servers;
  const { state, entry } = server ?? { state: "absent", entry: undefined };
  if (state === "busy")
    return {
      state: waited.end === "timeout" ? "timeout" : "interrupted",
      entry,
      waited,
    };
  // Remove the server right after the reading that found it empty.
  if (state !== "empty" || !given.flag("remove"))
    return { state, entry, waited };
  const removed = await remove(client, target);
  return { state: removed ? "removed" : "absent", entry: undefined, waited };
}

/** Removes the server. @returns false if it was removed already */
async function remove(
  client: IpvsClient,
  { service, server }: Target,
): Promise<boolean> {
  try {
    await client.deleteServer(service, server);
    return true;
  } catch (error) {
    if (error instanceof KernelRefusal && error.errno === ENOENT) return false;
    throw error;
  }
}

/** Reports the result. @returns the exit status */
function reportResult(
  { state, entry, waited }: DrainResult,
  target: Target,
  before: number | undefined,
  text: boolean,
  { given, output }: Invocation,
): number {
  const { name, words } = target;
  const after = `after ${shortDuration(waited?.seconds ?? 0)}`;
  const print = (what: string) => {
    if (text) output.write(`${name}: ${what}\n`);
  };
  const undo = `to undo this, run 'ipvsadm undrain ${words}${before === undefined ? " --weight N" : ""}'`;
  const remaining = entry
    ? `${weightText(before)}, ${connectionsText(entry)}`
    : "not in the table any more";
  switch (state) {
    case "dry-run":
    case "draining":
      return EXIT.ok;
    case "empty":
      print(`empty ${after}`);
      return EXIT.ok;
    case "removed":
      print(`removed ${after}`);
      return EXIT.ok;
    case "absent":
      if (given.flag("remove")) {
        print(`removed by another program ${after}`);
        return EXIT.ok;
      }
      output.complain(
        `${name} is not in the table any more: another program removed it`,
      );
      return EXIT.failed;
    case "undrained":
      output.complain(
        `${name} has weight ${entry?.settings.weight ?? 0} now: another program set it`,
        "stopped waiting; the server was not removed",
      );
      return EXIT.failed;
    case "timeout":
      output.complain(
        `${name} is not empty ${after}: ${remaining}`,
        `to continue, run 'ipvsadm drain ${words} --wait'; ${undo}`,
      );
      return EXIT.failed;
    case "interrupted":
      output.complain(`interrupted; ${name}: ${remaining}`, undo);
      return statusOf(waited?.signal ?? "SIGTERM");
  }
}

function resultJson(
  { service, server }: Target,
  weightBefore: number | undefined,
  { state, entry, waited }: DrainResult,
) {
  return {
    schema: "ipvsadm/drain/1",
    ...aboutServer(service, server),
    state,
    weightBefore,
    weight: entry?.settings.weight,
    activeConnections: entry?.activeConnections,
    inactiveConnections: entry?.inactiveConnections,
    persistentConnections: entry?.persistentConnections,
    waitedSeconds: waited && Math.round(waited.seconds * 10) / 10,
  };
}
