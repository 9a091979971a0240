import { CommandError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import { Interrupt } from "../../cli/interrupt.js";
import type { Invocation } from "../../cli/invocation.js";
import { chooseMachine, type Machine } from "../../cli/machine.js";
import { jsonText, type Members } from "../../document/json-text.js";
import { aboutServer } from "../../document/key-members.js";
import type { ServerInTable } from "../../drain/server-in-table.js";
import type { ChooseServers } from "../../drain/drain-servers.js";
import {
  planUndrain,
  undrainServers,
  type UndrainedServer,
} from "../../drain/undrain-servers.js";
import { NoSavedWeight } from "../../drain/no-saved-weight.js";
import { formatSelector } from "../../grammar/selector.js";
import { PlanFailed } from "../../plan/plan-failed.js";
import { openFor } from "../../cli/open-ipvs.js";
import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { KernelConnection } from "../apply/kernel-connection.js";
import { servicesText } from "../drain/drain-text.js";
import { targetOf } from "../drain/find-server.js";
import { lockWeight } from "../drain/lock-weight.js";
import { reportFailure } from "../drain/report-failure.js";

/** Restores the weights of a machine in every service that has it: all or none. @returns the exit status */
export async function undrainMachine(
  machine: Machine,
  weight: number | undefined,
  call: Invocation,
): Promise<number> {
  const { given, io, output } = call;
  using access = new IpvsAccess(io);
  const client = await openFor(access, given);
  const choose = chooseDrained(machine, weight);
  try {
    if (given.flag("dry-run")) {
      const found = choose(await client.steadyTable());
      const changes = planUndrain(found, io, weight).map((change) => ({
        ...change,
        weightBefore: change.server.settings.weight,
      }));
      report("dry-run", changes, [], machine, call);
      return EXIT.ok;
    }
    using connection = new KernelConnection(io, client);
    using interrupt = new Interrupt(io);
    using lock = await lockWeight(call, "undrain", interrupt);
    try {
      const { servers, gone } = await undrainServers(client, choose, io, {
        weight,
        signal: interrupt.signal,
        reopen: () => connection.reopen(),
      });
      lock?.release();
      report("undrained", servers.map(withWeight), gone, machine, call);
      return EXIT.ok;
    } catch (error) {
      if (!(error instanceof PlanFailed)) throw error;
      const failure = reportFailure(error, interrupt.caught, call);
      if (given.text("output") === "json")
        output.write(document(machine, failure.members));
      return failure.status;
    }
  } catch (error) {
    if (!(error instanceof NoSavedWeight)) throw error;
    const names = error.servers.map((server) => targetOf(server).name);
    throw new CommandError(
      `no saved weight for ${names.join(", ")}; nothing was changed`,
      `give one for all: 'ipvsadm undrain --all-services ${machine.text} --weight N'`,
    );
  }
}

/** Picks the machine. @throws {CommandError} at the first reading, if no weight is given and it is not drained anywhere */
function chooseDrained(
  machine: Machine,
  weight: number | undefined,
): ChooseServers {
  const choose = chooseMachine(machine);
  let first = true;
  return (table) => {
    const found = choose(table);
    const drained = found.some(({ server }) => server.settings.weight === 0);
    if (first && !drained && weight === undefined)
      throw new CommandError(
        `${machine.text} is not drained in any service; nothing was changed`,
        `to change its weights, run 'ipvsadm undrain --all-services ${machine.text} --weight N'`,
      );
    first = false;
    return found;
  };
}

/** A server, its weight until now, and its new weight. */
interface Restored extends ServerInTable {
  readonly weightBefore: number;
  readonly weight: number;
}

function withWeight(one: UndrainedServer): Restored {
  return { ...one, weight: one.server.settings.weight };
}

function report(
  state: "dry-run" | "undrained",
  servers: readonly Restored[],
  gone: readonly ServerInTable[],
  machine: Machine,
  { given, output }: Invocation,
): void {
  if (given.text("output") === "json") {
    const members = servers.map(({ service, server, ...weights }) => ({
      ...aboutServer(service.key, server.key),
      weightBefore: weights.weightBefore,
      weight: weights.weight,
    }));
    output.write(document(machine, { state, servers: members }));
    return;
  }
  const dry = state === "dry-run";
  const changed = servers.filter(
    ({ weight, weightBefore }) => weight !== weightBefore,
  );
  for (const one of servers) {
    const { weight, weightBefore } = one;
    const text = !changed.includes(one)
      ? `weight stays ${weight}`
      : dry
        ? `weight ${weightBefore} would become ${weight}`
        : `weight ${weight} (was ${weightBefore})`;
    output.write(`${targetOf(one).name}: ${text}\n`);
  }
  for (const one of gone)
    output.write(`${targetOf(one).name}: removed by another program\n`);
  const services = new Set(
    changed.map(({ service }) => formatSelector(service.key)),
  );
  output.write(
    `${machine.text}: ${dry ? "would be undrained" : "undrained"} in ${servicesText(services.size)}\n`,
  );
}

function document(machine: Machine, members: Members): string {
  return `${jsonText({
    schema: "ipvsadm/undrain-machine/1",
    machine: machine.text,
    ...members,
  })}\n`;
}
