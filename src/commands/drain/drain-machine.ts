import { EXIT } from "../../cli/exit-status.js";
import { Interrupt } from "../../cli/interrupt.js";
import type { Invocation } from "../../cli/invocation.js";
import { chooseMachine, type Machine } from "../../cli/machine.js";
import { shortDuration } from "../../cli/units.js";
import { jsonText, type Members } from "../../document/json-text.js";
import { aboutServer } from "../../document/key-members.js";
import { removeServers } from "../../drain/change-weights.js";
import {
  drainServers,
  savedWeightOf,
  type DrainedServer,
  type DrainedServers,
} from "../../drain/drain-servers.js";
import { idOf } from "../../drain/server-in-table.js";
import { formatSelector } from "../../grammar/selector.js";
import type { IpvsClient } from "../../ipvs/client.js";
import type { DrainState } from "../../ipvs/drain.js";
import type { ServerEntry } from "../../ipvs/model.js";
import { symbolText } from "../../netlink/errno.js";
import { PlanFailed } from "../../plan/plan-failed.js";
import { openFor } from "../../cli/open-ipvs.js";
import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { statusOf } from "../../system/signals.js";
import { KernelConnection } from "../apply/kernel-connection.js";
import {
  connectionsText,
  servicesText,
  totalOf,
  weightText,
} from "./drain-text.js";
import { warningsOf } from "./drain-warnings.js";
import { targetOf } from "./find-server.js";
import { lockWeight } from "./lock-weight.js";
import { reportFailure } from "./report-failure.js";
import { mustWait } from "./wait-options.js";
import { waitWithProgress, type WaitResult } from "./wait-until-empty.js";

/** How many names a warning lists. */
const LISTED = 4;

/** Drains a machine in every service that has it: all or none. @returns the exit status */
export async function drainMachine(
  machine: Machine,
  call: Invocation,
): Promise<number> {
  const { given, io } = call;
  using access = new IpvsAccess(io);
  const client = await openFor(access, given);
  if (given.flag("dry-run")) return await dryRun(client, machine, call);
  using connection = new KernelConnection(io, client);
  const drained = await drainLocked(connection, machine, call);
  if (typeof drained === "number") return drained;
  reportDrained(drained, machine, call);
  const { servers } = drained;
  if (!mustWait(given)) {
    printJson("draining", servers.map(inTable), undefined, machine, call);
    return EXIT.ok;
  }
  // The socket is closed when this function returns.
  return await waitAndRemove(connection, servers, machine, call);
}

/** Sets the weights to 0 while no other process changes them. @returns the exit status if that failed */
async function drainLocked(
  connection: KernelConnection,
  machine: Machine,
  call: Invocation,
): Promise<DrainedServers | number> {
  const { io } = call;
  using interrupt = new Interrupt(io);
  using lock = await lockWeight(call, "drain", interrupt);
  try {
    const drained = await drainServers(
      connection.client,
      chooseMachine(machine),
      io,
      { signal: interrupt.signal, reopen: () => connection.reopen() },
    );
    lock?.release();
    return drained;
  } catch (error) {
    if (!(error instanceof PlanFailed)) throw error;
    return reportFailed(error, interrupt, machine, call);
  }
}

function reportFailed(
  failed: PlanFailed,
  interrupt: Interrupt | undefined,
  machine: Machine,
  call: Invocation,
): number {
  const { status, members } = reportFailure(failed, interrupt?.caught, call);
  if (wantsJson(call)) call.output.write(document(machine, members));
  return status;
}

/** Prints which weights would be set. Takes no lock and changes nothing. */
async function dryRun(
  client: IpvsClient,
  machine: Machine,
  call: Invocation,
): Promise<number> {
  const { given, output } = call;
  const found = chooseMachine(machine)(await client.steadyTable());
  if (wantsJson(call)) {
    const servers = found.map(({ service, server }) => ({
      ...aboutServer(service.key, server.key),
      state: "dry-run",
      weightBefore: server.settings.weight,
      weight: 0,
      ...countsOf(server),
    }));
    output.write(document(machine, { state: "dry-run", servers }));
    return EXIT.ok;
  }
  for (const one of found) {
    const { weight } = one.server.settings;
    const change =
      weight === 0 ? "weight is already 0" : `weight ${weight} would become 0`;
    output.write(
      `${targetOf(one).name}: ${change}; ${connectionsText(one.server)}\n`,
    );
  }
  const removal = given.flag("remove") ? ", and removed when it is empty" : "";
  output.write(
    `${machine.text}: would be drained in ${servicesText(countServices(found))}${removal}\n`,
  );
  return EXIT.ok;
}

function countServices(
  servers: readonly Pick<DrainedServer, "service">[],
): number {
  return new Set(servers.map(({ service }) => formatSelector(service.key)))
    .size;
}

function reportDrained(
  { servers, gone, unsaved }: DrainedServers,
  machine: Machine,
  call: Invocation,
): void {
  const { io, output } = call;
  for (const { failure, ...one } of unsaved) {
    const { weight } = one.server.settings;
    output.warn(
      `cannot save the weight ${weight}: cannot write ${failure.path}: ${symbolText(failure.code)}`,
      `to restore it later, run 'ipvsadm undrain ${targetOf(one).words} --weight ${weight}'`,
    );
  }
  if (!wantsJson(call)) {
    for (const one of servers) {
      const weight = one.already
        ? one.weightBefore === undefined
          ? "weight is already 0, no saved weight"
          : `weight is already 0 (was ${one.weightBefore})`
        : weightText(one.weightBefore);
      output.write(
        `${targetOf(one).name}: ${weight}; ${connectionsText(one.server)}\n`,
      );
    }
    for (const one of gone)
      output.write(`${targetOf(one).name}: removed by another program\n`);
    const total = totalOf(servers.map(({ server }) => server));
    output.write(
      `${machine.text}: drained in ${servicesText(countServices(servers))}; ${connectionsText(total)}\n`,
    );
    io.flush();
  }
  warn(servers, machine, call);
}

/** Prints each warning once, with the services that it concerns. */
function warn(
  servers: readonly DrainedServer[],
  machine: Machine,
  { io, output }: Invocation,
): void {
  const found = new Map<string, { advice: string; services: string[] }>();
  for (const one of servers)
    for (const [fault, advice] of warningsOf(
      targetOf(one),
      io,
      `--all-services ${machine.text}`,
    )) {
      const warning = found.get(fault) ?? { advice, services: [] };
      warning.services.push(formatSelector(one.service.key));
      found.set(fault, warning);
    }
  for (const [fault, { advice, services }] of found) {
    const more = services.length - LISTED;
    const names = services.slice(0, LISTED).join(", ");
    output.warn(
      `${names}${more > 0 ? ` and ${more} more` : ""}: ${fault}`,
      advice,
    );
  }
}

/** A drained server at the end of the run. */
interface FinalServer {
  readonly drained: DrainedServer;
  readonly state: DrainState["state"] | "draining" | "removed";
  readonly entry: ServerEntry | undefined;
}

function inTable(drained: DrainedServer): FinalServer {
  return { drained, state: "draining", entry: drained.server };
}

async function waitAndRemove(
  connection: KernelConnection,
  servers: readonly DrainedServer[],
  machine: Machine,
  call: Invocation,
): Promise<number> {
  const { given, io } = call;
  const waited = await waitWithProgress(
    connection.client,
    servers.map(({ service, server }) => ({
      service: service.key,
      server: server.key,
    })),
    given.duration("timeout"),
    call,
  );
  const states = servers.map((drained, i): FinalServer => {
    const { state, entry } = waited.servers[i] ?? {};
    return { drained, state: state ?? "absent", entry };
  });
  const isEmpty = ({ state }: FinalServer) =>
    state === "empty" || state === "absent";
  if (!given.flag("remove") || !states.every(isEmpty))
    return reportWaited(states, waited, machine, call);
  try {
    // Remove the servers right after the reading that found them empty.
    const removed = await removeServers(
      connection.client,
      states.flatMap(({ drained: { service }, entry }) =>
        entry ? [{ service, server: entry }] : [],
      ),
      { reopen: () => connection.reopen() },
    );
    const ids = new Set(removed.map(idOf));
    for (const one of servers) savedWeightOf(io, one).remove();
    const ended = states.map((one) => ({
      ...one,
      state: ids.has(idOf(one.drained))
        ? ("removed" as const)
        : ("absent" as const),
      entry: undefined,
    }));
    return reportWaited(ended, waited, machine, call);
  } catch (error) {
    if (!(error instanceof PlanFailed)) throw error;
    return reportFailed(error, undefined, machine, call);
  }
}

/** Reports how the wait ended. @returns the exit status */
function reportWaited(
  servers: readonly FinalServer[],
  waited: WaitResult,
  machine: Machine,
  call: Invocation,
): number {
  const { output, given } = call;
  const after = `after ${shortDuration(waited.seconds)}`;
  const text = !wantsJson(call);
  const having = (state: FinalServer["state"]) =>
    servers.filter((one) => one.state === state);
  const [busy, undrained] = [having("busy"), having("undrained")];
  const undo = `to undo this, run 'ipvsadm undrain --all-services ${machine.text}'`;
  if (text)
    for (const { drained } of having("absent"))
      output.write(`${targetOf(drained).name}: removed by another program\n`);
  for (const { drained, entry } of undrained)
    output.complain(
      `${targetOf(drained).name} has weight ${entry?.settings.weight ?? 0} now: another program set it`,
    );
  for (const { drained, entry } of busy)
    if (entry)
      output.complain(
        `${targetOf(drained).name} is not empty: ${weightText(drained.weightBefore)}, ${connectionsText(entry)}`,
      );
  const print = (state: string) => {
    printJson(state, servers, waited, machine, call);
  };
  if (busy.length > 0 && waited.end === "aborted") {
    print("interrupted");
    output.complain(`interrupted ${after}`, undo);
    return statusOf(waited.signal ?? "SIGTERM");
  }
  const of = `of ${servers.length} real servers`;
  const kept = given.flag("remove") ? "; none was removed" : "";
  if (busy.length > 0) {
    print("timeout");
    output.complain(
      `${busy.length} ${of} ${busy.length === 1 ? "is" : "are"} not empty ${after}${kept}`,
      `to continue, run 'ipvsadm drain --all-services ${machine.text} --wait'; ${undo}`,
    );
    return EXIT.failed;
  }
  if (undrained.length > 0) {
    print("undrained");
    output.complain(
      `${undrained.length} ${of} ${undrained.length === 1 ? "is" : "are"} not drained any more${kept}`,
      `to drain again, run 'ipvsadm drain --all-services ${machine.text}'`,
    );
    return EXIT.failed;
  }
  const removed = given.flag("remove");
  print(removed ? "removed" : "empty");
  if (text)
    output.write(
      `${machine.text}: ${removed ? `removed from ${servicesText(countServices(having("removed").map(({ drained }) => drained)))}` : "empty"} ${after}\n`,
    );
  return EXIT.ok;
}

function wantsJson({ given }: Invocation): boolean {
  return given.text("output") === "json";
}

function printJson(
  state: string,
  servers: readonly FinalServer[],
  waited: WaitResult | undefined,
  machine: Machine,
  call: Invocation,
): void {
  if (!wantsJson(call)) return;
  call.output.write(
    document(machine, {
      state,
      servers: servers.map(({ drained, state, entry }) => ({
        ...aboutServer(drained.service.key, drained.server.key),
        state,
        weightBefore: drained.weightBefore,
        weight: entry?.settings.weight,
        ...(entry && countsOf(entry)),
      })),
      waitedSeconds: waited && Math.round(waited.seconds * 10) / 10,
    }),
  );
}

function countsOf({
  activeConnections,
  inactiveConnections,
  persistentConnections,
}: ServerEntry): Members {
  return { activeConnections, inactiveConnections, persistentConnections };
}

function document(machine: Machine, members: Members): string {
  return `${jsonText({
    schema: "ipvsadm/drain-machine/1",
    machine: machine.text,
    ...members,
  })}\n`;
}
