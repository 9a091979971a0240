import type { Json } from "../../document/json-text.js";
import {
  connectionsOf,
  ConnectionWatch,
  type SeenConnection,
} from "../../doctor/director/client/connections.js";
import {
  traceClient,
  type ClientTrace,
} from "../../doctor/director/client/trace.js";
import type {
  TraceFacts,
  TraceStep,
} from "../../doctor/director/client/trace-step.js";
import { captureScopeOf } from "../../doctor/director/client/packets.js";
import { startCapture } from "../../doctor/packets/capture.js";
import { readCounters } from "../../doctor/read-counters.js";
import { listenToMasters } from "../../doctor/read-sync.js";
import { readTable } from "../../doctor/director/read-ipvs.js";
import type { Facts } from "../../doctor/facts.js";
import { formatAddress, type Address } from "../../ipvs/address.js";
import { NetworkClient } from "../../rtnl/client.js";
import type { Neighbor } from "../../rtnl/model.js";
import { startProgram } from "../../system/program-stream.js";
import type { Io } from "../../runtime/io.js";
import { escapeControls } from "../../cli/escape.js";
import { wrapped } from "../../cli/help.js";
import type { Output } from "../../cli/output.js";
import { commandText, fixJson, notCheckedList, stateLine } from "./report.js";

const LOOK_MILLISECONDS = 500;

/** Follows a client for some seconds. @returns undefined if a fact that it needs is missing */
export async function followClient(
  io: Io,
  facts: Facts,
  client: Address,
  seconds: number,
): Promise<ClientTrace | undefined> {
  const known = traceFacts(facts);
  if (!known) return undefined;
  using capture = await startCapture(
    {
      start: startProgram,
      clock: io.clock,
      procFolder: io.procFolder,
      wallClock: Date.now,
    },
    captureScopeOf(known, client),
  );
  const before = readCounters(io.procFolder);
  const [heard, connections] = await Promise.all([
    listenToMasters(known.daemons, known.network, seconds),
    watchConnections(io, client, seconds),
  ]);
  const packets = await capture.finish();
  const after = await readTable(io);
  const later = readCounters(io.procFolder);
  const counters = before && later && { before, after: later };
  // The client's own packets made the kernel ask for the servers.
  const network = {
    ...known.network,
    neighbors: await readNeighbors(io),
  };
  return traceClient(
    { ...known, network },
    { client, seconds, connections, after, heard, packets, counters },
  );
}

async function readNeighbors(io: Io): Promise<Neighbor[]> {
  using client = await NetworkClient.open(io);
  return await client.neighbors();
}

/** Every connection of a client that is there in these seconds. */
async function watchConnections(
  io: Io,
  client: Address,
  seconds: number,
): Promise<SeenConnection[]> {
  const watch = new ConnectionWatch();
  const end = io.clock.now() + seconds * 1000;
  const never = new AbortController().signal;
  for (;;) {
    const began = io.clock.now();
    const found = await connectionsOf(io.connectionsFile, client);
    watch.look(found, began, io.clock.now());
    const left = end - io.clock.now();
    if (left <= 0) return watch.connections;
    await io.clock.sleep(Math.min(LOOK_MILLISECONDS, left), never);
  }
}

function traceFacts(facts: Facts): TraceFacts | undefined {
  const { table, allServices, network, connections } = facts;
  const { sysctls, firewall, daemons, ftpHelper, timeouts } = facts;
  if (!table || !allServices || !network || !connections) return undefined;
  if (!sysctls || !firewall || !daemons) return undefined;
  return {
    table,
    allServices,
    network,
    connections,
    sysctls,
    firewall,
    daemons,
    ftpHelper,
    timeouts,
  };
}

type Looks = Pick<Output, "paint" | "width">;

/** More servers are left out. */
const MOST_NEXT = 3;

/** What is said of a client whose packets nothing stops. */
const ENDS: Readonly<Record<ClientTrace["answers"], string>> = {
  seen: "Its packets pass the director both ways.",
  confirmed:
    "Its requests pass the director. Answers do not come through it (direct routing or tunneling), but the client confirmed its connections, so it gets them.",
  unseen:
    "Its requests pass the director. Answers do not come through it (direct routing or tunneling), so it does not see whether the client gets them.",
};

/** What is said of a client that perhaps has a fault. */
const OTHER_FAULTS =
  "Run 'ipvsadm doctor' as well: it examines settings, network and real servers of this machine, which this trace does not.";

/** The trace as text: step by step, and where it stops. */
export function traceText(trace: ClientTrace, looks: Looks): string {
  const { client, seconds, steps, stopsAt, answers, next, notChecked } = trace;
  const shown = next.slice(0, MOST_NEXT);
  const end = stopsAt
    ? `Stops at: ${stopsAt.step}.`
    : steps.some(({ state }) => state === "unknown")
      ? "No step stops it for certain."
      : ENDS[answers];
  const isPassing = end === ENDS[answers];
  return [
    `Client ${formatAddress(client)}, followed for ${seconds} s\n`,
    ...steps.map((one) => stateLine(one.step, one, looks)),
    wrapped(isPassing ? end : `${end} ${OTHER_FAULTS}`, 0, looks),
    ...shown.map((one) => commandText("Next", one, looks)),
    notCheckedList(notChecked.map(escapeControls), looks),
  ].join("");
}

/** The trace as JSON. */
export function traceJson({
  client,
  seconds,
  steps,
  stopsAt,
  next,
  notChecked,
}: ClientTrace): Json {
  const stepJson = ({ step, state, text }: TraceStep) => ({
    step,
    state,
    text: escapeControls(text),
  });
  return {
    schema: "ipvsadm/doctor-client/1",
    client: formatAddress(client),
    clientAddress: formatAddress(client),
    seconds,
    steps: steps.map(stepJson),
    stopsAt: stopsAt ? stepJson(stopsAt) : null,
    next: next.slice(0, MOST_NEXT).map(fixJson),
    notChecked: notChecked.map(escapeControls),
  };
}
