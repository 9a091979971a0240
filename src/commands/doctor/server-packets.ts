import { startCapture, type Captured } from "../../doctor/packets/capture.js";
import {
  captureLimits,
  type PacketFact,
} from "../../doctor/packets/packet-fact.js";
import { serverPacketFacts } from "../../doctor/packets/server-facts.js";
import {
  readCounters,
  type CountersMeanwhile,
} from "../../doctor/read-counters.js";
import { readFouPorts } from "../../doctor/real-server/gather.js";
import type {
  Circumstances,
  RealServer,
} from "../../doctor/real-server/real-server.js";
import type { Address } from "../../ipvs/address.js";
import type { Io } from "../../runtime/io.js";
import { startProgram } from "../../system/program-stream.js";

/** What was captured on a real server. */
export interface WatchedServer {
  readonly client: Address;
  readonly seconds: number;
  readonly captured: Captured;
  readonly counters: CountersMeanwhile | undefined;
}

/** What packets tell of a client on a real server. */
export interface PacketReport {
  readonly client: Address;
  readonly seconds: number;
  /** None if no packets could be captured */
  readonly facts: readonly PacketFact[];
  readonly notChecked: readonly string[];
}

/** Captures the packets of a client on this real server for some seconds. */
export async function watchServer(
  io: Io,
  { method, tunnelPort }: Circumstances,
  client: Address,
  seconds: number,
): Promise<WatchedServer> {
  const mayUseGue = method === undefined || method === "gue";
  const ports = mayUseGue ? await readFouPorts(io) : [];
  using capture = await startCapture(
    {
      start: startProgram,
      clock: io.clock,
      procFolder: io.procFolder,
      wallClock: Date.now,
    },
    {
      client,
      tunnels: method !== "masq" && method !== "direct" && method !== "gue",
      guePorts: [
        ...new Set([
          ...(tunnelPort === undefined ? [] : [tunnelPort]),
          ...ports.map(({ port }) => port),
        ]),
      ],
      hiddenServers: [],
    },
  );
  const before = readCounters(io.procFolder);
  if (capture.isRunning) await sleepFor(io, seconds * 1000);
  const captured = await capture.finish();
  const after = readCounters(io.procFolder);
  const counters = before && after && { before, after };
  return { client, seconds, captured, counters };
}

/** A timer of the system is not longer: it would end at once. */
const LONGEST_TIMER_MILLISECONDS = 2 ** 31 - 1;

async function sleepFor({ clock }: Io, milliseconds: number): Promise<void> {
  const never = new AbortController().signal;
  for (let left = milliseconds; left > 0; left -= LONGEST_TIMER_MILLISECONDS)
    await clock.sleep(Math.min(left, LONGEST_TIMER_MILLISECONDS), never);
}

/** What the captured packets tell. */
export function packetReport(
  { client, seconds, captured, counters }: WatchedServer,
  realServer: RealServer,
): PacketReport {
  if ("unavailable" in captured)
    return {
      client,
      seconds,
      facts: [],
      notChecked: [`packets (${captured.unavailable})`],
    };
  const { sightings } = captured;
  return {
    client,
    seconds,
    facts: serverPacketFacts(sightings, { client, realServer, counters }),
    notChecked: captureLimits(sightings),
  };
}
