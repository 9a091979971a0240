import { EXIT } from "../../cli/exit-status.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import {
  readMachine,
  requireArguments,
  type Machine,
} from "../../cli/machine.js";
import { readService } from "../../cli/selectors.js";
import { counted, shortDuration } from "../../cli/units.js";
import { waitForSignals, type Signaled } from "../../cli/wait-for-signals.js";
import { jsonText, type Members } from "../../document/json-text.js";
import { aboutServer, aboutService } from "../../document/key-members.js";
import type { ServerInTable } from "../../drain/server-in-table.js";
import {
  waitFor,
  type WaitCondition,
  type WaitOutcome,
  type WaitSubject,
} from "../../drain/wait-for.js";
import {
  formatSelector,
  oneService,
  UnknownSelected,
} from "../../grammar/selector.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { serverState } from "../../ipvs/state.js";
import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { statusOf } from "../../system/signals.js";
import { connectionsText, totalOf } from "../drain/drain-text.js";
import { findServer, targetOf } from "../drain/find-server.js";
import { conditionText, parseCondition } from "./condition.js";
import { namedMembers } from "./named-members.js";

export const run: RunSubcommand = async (call) => {
  const { given, io, output } = call;
  const machine = await readMachine(given, io.names, "wait");
  if (!machine) requireArguments(given, ["SERVICE"], "wait");
  const hasServer = machine !== undefined || given.positionals.length > 1;
  const condition = parseCondition(
    given.text("for"),
    hasServer ? "server" : "service",
  );
  using access = new IpvsAccess(io);
  const client = await access.openWithoutLoading();
  try {
    const watched = await find(client, machine, call);
    const outcome = await wait(client, watched.subject, condition, call);
    return report(outcome, watched, condition, call);
  } catch (error) {
    if (!(error instanceof UnknownSelected)) throw error;
    if (given.text("output") === "json")
      output.write(`${jsonText(await absentDocument(condition, call))}\n`);
    output.explain(error);
    return EXIT.absent;
  }
};

/** The document if what the command line names is not in the table at the start. */
async function absentDocument(
  condition: WaitCondition,
  { given, io }: Invocation,
): Promise<Members> {
  return documentOf(
    { end: "absent", seconds: 0, servers: [], serviceState: undefined },
    { members: await namedMembers(given.positionals, io.names) },
    conditionText(condition),
  );
}

/** What the command line names, as found in the table. */
interface Watched {
  readonly subject: WaitSubject;
  /** `198.51.100.10:80 of tcp/192.0.2.1:80`, `tcp/192.0.2.1:80` or `198.51.100.10` */
  readonly name: string;
  /** The arguments of drain and wait for it; undefined for a service */
  readonly words: string | undefined;
  /** The members of the JSON document that name it */
  readonly members: Members;
}

/** @throws {UnknownSelected} if it is not in the table */
async function find(
  client: IpvsClient,
  machine: Machine | undefined,
  { given, io }: Invocation,
): Promise<Watched> {
  if (machine)
    return {
      subject: { machine: machine.address },
      name: machine.text,
      words: `--all-services ${machine.text}`,
      members: { machine: machine.text },
    };
  const [text = ""] = given.positionals;
  if (given.positionals.length === 1) {
    const selector = await readService(text, io.names);
    const { key } = oneService(text, selector, await client.services());
    const name = formatSelector(key);
    return {
      subject: { service: key },
      name,
      words: undefined,
      members: aboutService(key),
    };
  }
  const { service, server, name, words } = await findServer(
    client,
    given.positionals,
    io.names,
  );
  return {
    subject: { service, server },
    name,
    words,
    members: aboutServer(service, server),
  };
}

async function wait(
  client: IpvsClient,
  subject: WaitSubject,
  condition: WaitCondition,
  call: Invocation,
): Promise<WaitOutcome & Signaled> {
  const { given, io } = call;
  let now: readonly ServerInTable[] = [];
  return waitForSignals(
    call,
    (seconds) =>
      `waiting for ${conditionText(condition)}, ${shortDuration(seconds)}: ${connectionsOf(now).activeConnections} active`,
    (signal, step) =>
      waitFor(client, subject, condition, {
        pollSeconds: given.number("interval") ?? 1,
        timeoutSeconds: given.duration("timeout"),
        signal,
        clock: io.clock,
        report(servers) {
          now = servers;
          step();
        },
      }),
  );
}

function connectionsOf(servers: readonly ServerInTable[]) {
  return totalOf(servers.map(({ server }) => server));
}

/** Reports the result. @returns the exit status */
function report(
  outcome: WaitOutcome & Signaled,
  watched: Watched,
  condition: WaitCondition,
  { given, output }: Invocation,
): number {
  const { end, seconds, signal } = outcome;
  const { name } = watched;
  const wanted = conditionText(condition);
  const after = `after ${shortDuration(seconds)}`;
  const json = given.text("output") === "json";
  if (json) output.write(`${jsonText(documentOf(outcome, watched, wanted))}\n`);
  switch (end) {
    case "reached":
      if (!json) output.write(`${name}: ${wanted} ${after}\n`);
      return EXIT.ok;
    case "absent":
      if ("machine" in watched.subject)
        output.complain(
          `no service has the real server ${name}`,
          "'ipvsadm list' shows all real servers",
        );
      else
        output.complain(
          `${name} is not in the table any more: another program removed it`,
        );
      return EXIT.absent;
    case "timeout":
      output.complain(
        `${name}: not ${wanted} ${after}: ${nowText(outcome)}`,
        adviceFor(outcome, watched, condition),
      );
      return EXIT.timedOut;
    case "aborted":
      output.complain(
        `interrupted ${after}; ${name}: not ${wanted}: ${nowText(outcome)}`,
      );
      return statusOf(signal ?? "SIGTERM");
  }
}

/** The last reading: `weight 3, 12 active, 4 inactive and 2 persistent connections` */
function nowText({ servers, serviceState }: WaitOutcome): string {
  const connections = connectionsText(connectionsOf(servers));
  const [one] = servers;
  const many = counted(servers.length, "real server");
  if (serviceState !== undefined)
    return `state ${serviceState}, ${many}, ${connections}`;
  return one && servers.length === 1
    ? `state ${serverState(one.server)}, weight ${one.server.settings.weight}, ${connections}`
    : `${many}, ${connections}`;
}

/** What to do if a server was never drained. */
function adviceFor(
  { servers }: WaitOutcome,
  { words }: Watched,
  condition: WaitCondition,
): string | undefined {
  if (condition.kind !== "drained") return undefined;
  const weighted = servers.find(({ server }) => server.settings.weight !== 0);
  if (!weighted) return undefined;
  const { name, words: own, entry } = targetOf(weighted);
  return `${name} has weight ${entry.settings.weight}; to drain, run 'ipvsadm drain ${words ?? own}'`;
}

function documentOf(
  { end, servers, serviceState, seconds }: WaitOutcome,
  { members }: Pick<Watched, "members">,
  wanted: string,
): Members {
  return {
    schema: "ipvsadm/wait/1",
    ...members,
    for: wanted,
    result: end === "aborted" ? "interrupted" : end,
    state: serviceState,
    ...(end !== "absent" && { ...connectionsOf(servers) }),
    waitedSeconds: Math.round(seconds * 10) / 10,
    servers: servers.map(({ service, server }) => ({
      ...aboutServer(service.key, server.key),
      state: serverState(server),
      weight: server.settings.weight,
      ...totalOf([server]),
    })),
  };
}
