import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { jsonText } from "../../document/json-text.js";
import { formatEndpoint } from "../../ipvs/model.js";
import { formatSelector } from "../../grammar/selector.js";
import { WeightMemory, type Remembered } from "../drain/weight-memory.js";
import { findTarget, type Target } from "../drain/target.js";
import { CommandError, UsageError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import type { RunSubcommand } from "../../cli/invocation.js";

export const run: RunSubcommand = async ({ given, io, output }) => {
  const wanted = given.number("weight");
  if (wanted !== undefined && !Number.isInteger(wanted))
    throw new UsageError(`--weight ${wanted}: a weight is whole`, "undrain");
  using access = new IpvsAccess(io);
  const client = await access.open();
  const target = await findTarget(client, given.positionals, io.names);
  const memory = new WeightMemory(io, target);
  const weight = wanted ?? weightOf(target, memory);
  const { service, server, entry } = target;
  const before = entry.settings.weight;
  await client.editServer(service, server, { ...entry.settings, weight });
  memory.forget();
  if (given.text("output") === "json")
    output.write(
      `${jsonText({
        schema: "ipvsadm/undrain/1",
        service: formatSelector(service),
        server: formatEndpoint(server.address, server.port),
        weightBefore: before,
        weight,
      })}\n`,
    );
  else output.write(`${target.name}: weight ${weight} (was ${before})\n`);
  return EXIT.ok;
};

/** The weight that the server had before it was drained. @throws {CommandError} if it must not have that, or nobody knows */
function weightOf(
  { entry, name, words }: Target,
  memory: WeightMemory,
): number {
  const remembered = memory.recall();
  const { weight } = entry.settings;
  if (weight !== 0) {
    // Whoever set it knew better: what was before is of no use any more.
    memory.forget();
    const was =
      remembered.kind === "weight" ? `, and was ${remembered.weight}` : "";
    throw new CommandError(
      `${name} is not drained: its weight is ${weight}${was}`,
      `nothing was changed; 'ipvsadm undrain ${words} --weight N' changes it`,
    );
  }
  if (remembered.kind === "weight") return remembered.weight;
  throw new CommandError(
    `nobody remembers which weight ${name} had${reason(remembered)}`,
    `say it: 'ipvsadm undrain ${words} --weight N'`,
  );
}

function reason(remembered: Remembered): string {
  return remembered.kind === "garbled"
    ? `: what ${remembered.path} says is no weight`
    : "";
}
