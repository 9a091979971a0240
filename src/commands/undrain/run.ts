import { openFor } from "../../cli/open-ipvs.js";
import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { jsonText } from "../../document/json-text.js";
import { aboutServer } from "../../document/key-members.js";
import { SavedWeight } from "../../drain/saved-weight.js";
import { lockWeight } from "../drain/lock-weight.js";
import { findServer, type Target } from "../drain/find-server.js";
import { readMachine, requireArguments } from "../../cli/machine.js";
import { undrainMachine } from "./undrain-machine.js";
import { CommandError, UsageError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";

export const run: RunSubcommand = async (call) => {
  const { given, io, output } = call;
  const wanted = given.number("weight");
  if (wanted !== undefined && !Number.isInteger(wanted))
    throw new UsageError(`--weight ${wanted}: expected an integer`, "undrain");
  const machine = await readMachine(given, io.names, "undrain");
  if (machine) return undrainMachine(machine, wanted, call);
  requireArguments(given, ["SERVICE", "SERVER"], "undrain");
  using access = new IpvsAccess(io);
  const client = await openFor(access, given);
  const dry = given.flag("dry-run");
  using lock = dry ? undefined : await lockWeight(call, "undrain");
  const target = await findServer(client, given.positionals, io.names);
  const saved = new SavedWeight(io, target);
  const weight = wanted ?? weightOf(target, saved, dry);
  const { service, server, entry } = target;
  const before = entry.settings.weight;
  if (!dry) {
    await client.editServer(service, server, { ...entry.settings, weight });
    saved.remove();
    lock?.release();
  }
  if (given.text("output") === "json")
    output.write(
      `${jsonText({
        schema: "ipvsadm/undrain/1",
        ...aboutServer(service, server),
        ...(dry && { state: "dry-run" }),
        weightBefore: before,
        weight,
      })}\n`,
    );
  else {
    const change = dry
      ? `weight ${before} would become ${weight}`
      : `weight ${weight} (was ${before})`;
    output.write(`${target.name}: ${change}\n`);
  }
  return EXIT.ok;
};

/** The saved weight. @throws {CommandError} if the server is not drained, or no weight was saved */
function weightOf(
  { entry, name, words }: Target,
  saved: SavedWeight,
  dry: boolean,
): number {
  const found = saved.read();
  const { weight } = entry.settings;
  if (weight !== 0) {
    // The weight was set after the server was drained, so the saved one is out of date.
    if (!dry) saved.remove();
    const was = found.kind === "weight" ? ` (was ${found.weight})` : "";
    throw new CommandError(
      `${name} is not drained: its weight is ${weight}${was}`,
      `nothing was changed; to change it, run 'ipvsadm undrain ${words} --weight N'`,
    );
  }
  if (found.kind === "weight") return found.weight;
  throw new CommandError(
    `no saved weight for ${name}${found.kind === "invalid" ? `, the file ${found.path} is invalid` : ""}`,
    `give one: 'ipvsadm undrain ${words} --weight N'`,
  );
}
