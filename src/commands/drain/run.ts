import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { jsonText } from "../../document/json-text.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { KernelRefusal } from "../../ipvs/errors.js";
import { formatEndpoint, type ServerEntry } from "../../ipvs/model.js";
import { formatSelector } from "../../grammar/selector.js";
import { ENOENT } from "../../netlink/errno.js";
import { symbolText } from "../../netlink/errno.js";
import { OutputFailed } from "../../system/atomic-file.js";
import { statusOf } from "../../system/signals.js";
import type { Output } from "../../cli/output.js";
import type { Arguments } from "../../cli/parser.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import { shortDuration } from "../../cli/units.js";
import { WeightMemory } from "./weight-memory.js";
import { findTarget, type Target } from "./target.js";
import { connectionsText, weightText } from "./progress-text.js";
import { waitWithProgress, type Waited } from "./wait-until-empty.js";
import { warningsOf } from "./warnings.js";

/** What became of a server that was to be drained. */
interface Drained {
  readonly state:
    | "draining"
    | "empty"
    | "removed"
    | "absent"
    | "undrained"
    | "timeout"
    | "interrupted";
  /** As it was read last; undefined if it is not there any more */
  readonly entry: ServerEntry | undefined;
  readonly waited?: Waited;
}

export const run: RunSubcommand = async (call) => {
  const { given, io, output } = call;
  using access = new IpvsAccess(io);
  const client = await access.open();
  const target = await findTarget(client, given.positionals, io.names);
  const memory = new WeightMemory(io, target);
  const before = await takeWeight(client, target, memory, output);
  const text = given.text("output") !== "json";
  if (text) {
    output.write(`${target.name}: ${startText(target, before)}\n`);
    io.flush();
  }
  for (const [fault, advice] of warningsOf(target, io))
    output.warn(fault, advice);
  const drained = await finishDraining(client, target, call);
  if (drained.state === "removed" || drained.state === "absent")
    memory.forget();
  if (!text) output.write(`${jsonText(resultJson(target, before, drained))}\n`);
  return conclude(drained, target, before, text, call);
};

/**
 * Gives the server weight 0, if it has another, which is remembered first.
 *
 * @returns the weight that it had before it was drained; undefined if nobody knows
 */
async function takeWeight(
  client: IpvsClient,
  { service, server, entry, words }: Target,
  memory: WeightMemory,
  output: Output,
): Promise<number | undefined> {
  const { settings } = entry;
  if (settings.weight === 0) {
    const remembered = memory.recall();
    return remembered.kind === "weight" ? remembered.weight : undefined;
  }
  try {
    memory.keep(settings.weight);
  } catch (error) {
    if (!(error instanceof OutputFailed)) throw error;
    output.warn(
      `cannot remember the weight ${settings.weight}: cannot write ${error.path}: ${symbolText(error.code)}`,
      `'ipvsadm undrain ${words} --weight ${settings.weight}' brings it back`,
    );
  }
  try {
    await client.editServer(service, server, { ...settings, weight: 0 });
  } catch (error) {
    if (error instanceof KernelRefusal) memory.forget(); // it has its weight still
    throw error;
  }
  return settings.weight;
}

function startText({ entry }: Target, before: number | undefined): string {
  const weight =
    entry.settings.weight !== 0
      ? weightText(before)
      : before === undefined
        ? "weight 0 already, and nobody remembers another"
        : `weight 0 already (was ${before})`;
  return `${weight}; ${connectionsText(entry)}`;
}

/** Waits, and removes, as far as that is wanted. */
async function finishDraining(
  client: IpvsClient,
  target: Target,
  call: Invocation,
): Promise<Drained> {
  const { given } = call;
  const timeoutSeconds = given.duration("timeout");
  if (!waits(given)) {
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
  // Nothing stands between the reading that found it empty and its removal.
  if (state !== "empty" || !given.flag("remove"))
    return { state, entry, waited };
  const removed = await remove(client, target);
  return { state: removed ? "removed" : "absent", entry: undefined, waited };
}

function waits(given: Arguments): boolean {
  return (
    given.flag("wait") ||
    given.flag("remove") ||
    given.duration("timeout") !== undefined
  );
}

/** @returns whether it was there to be removed */
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

/** Says how it ended. @returns the exit status */
function conclude(
  { state, entry, waited }: Drained,
  target: Target,
  before: number | undefined,
  text: boolean,
  { given, output }: Invocation,
): number {
  const { name, words } = target;
  const after = `after ${shortDuration(waited?.seconds ?? 0)}`;
  const say = (what: string) => {
    if (text) output.write(`${name}: ${what}\n`);
  };
  const back =
    before === undefined
      ? `'ipvsadm undrain ${words} --weight N' gives it one`
      : `'ipvsadm undrain ${words}' brings it back`;
  const stands = entry
    ? `stays at ${weightText(before)}, with ${connectionsText(entry)}`
    : "is not in the table any more";
  switch (state) {
    case "draining":
      return EXIT.ok;
    case "empty":
      say(`empty ${after}`);
      return EXIT.ok;
    case "removed":
      say(`removed ${after}`);
      return EXIT.ok;
    case "absent":
      if (given.flag("remove")) {
        say(`removed by somebody else ${after}`);
        return EXIT.ok;
      }
      output.complain(
        `${name} is not in the table any more: somebody removed it`,
      );
      return EXIT.failed;
    case "undrained":
      output.complain(
        `${name} has weight ${entry?.settings.weight ?? 0} again: somebody set it`,
        "nothing is waited for, and nothing was removed",
      );
      return EXIT.failed;
    case "timeout":
      output.complain(
        `${name} is not empty ${after}: it ${stands}`,
        `${back}; 'ipvsadm drain ${words} --wait' waits on`,
      );
      return EXIT.failed;
    case "interrupted":
      output.complain(`interrupted: ${name} ${stands}`, back);
      return statusOf(waited?.signal ?? "SIGTERM");
  }
}

function resultJson(
  { service, server }: Target,
  weightBefore: number | undefined,
  { state, entry, waited }: Drained,
) {
  return {
    schema: "ipvsadm/drain/1",
    service: formatSelector(service),
    server: formatEndpoint(server.address, server.port),
    state,
    weightBefore,
    weight: entry?.settings.weight,
    activeConnections: entry?.activeConnections,
    inactiveConnections: entry?.inactiveConnections,
    persistentConnections: entry?.persistentConnections,
    waitedSeconds: waited && Math.round(waited.seconds * 10) / 10,
  };
}
