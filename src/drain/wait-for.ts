import type { Address } from "../ipvs/address.js";
import type { IpvsClient } from "../ipvs/client.js";
import { drainState, EMPTY_READINGS, EmptyReadings } from "../ipvs/drain.js";
import { KernelRefusal } from "../ipvs/errors.js";
import {
  formatEndpoint,
  type ServerKey,
  type ServiceKey,
} from "../ipvs/model.js";
import { poll, type PollOptions } from "../ipvs/poll.js";
import {
  serverState,
  serviceState,
  type ServerState,
  type ServiceState,
} from "../ipvs/state.js";
import { ESRCH } from "../netlink/errno.js";
import type { ServerInTable } from "./server-in-table.js";
import { serversOfMachine } from "./machine.js";

/** What to wait for. */
export type WaitCondition =
  /** Each server has weight 0 and no connections that matter, in two readings in a row */
  | { readonly kind: "drained" }
  /** All servers together have at most this number of active connections */
  | { readonly kind: "active"; readonly atMost: number }
  /** A service is in this state; for servers: each one is */
  | { readonly kind: "state"; readonly state: ServiceState | ServerState };

/** What to look at: a service with all its servers, one server, or a machine in every service that has it. */
export type WaitSubject =
  | { readonly service: ServiceKey; readonly server?: ServerKey | undefined }
  | { readonly machine: Address };

/** The result of waiting. */
export interface WaitOutcome {
  /**
   * `reached`: the condition is met. `absent`: the service, server or machine is not in the table. `timeout`: the time is
   * over. `aborted`: the signal was triggered
   */
  readonly end: "reached" | "absent" | "timeout" | "aborted";
  /** The servers in the last reading; empty if they are absent */
  readonly servers: readonly ServerInTable[];
  /** The state of the service in the last reading; undefined for a server and a machine, and if the service is absent */
  readonly serviceState: ServiceState | undefined;
  readonly seconds: number;
}

export interface WaitOptions extends PollOptions {
  /** Is called after each reading */
  readonly report?: (servers: readonly ServerInTable[]) => void;
}

/** The client's calls that read the table. */
export type WaitClient = Pick<IpvsClient, "service" | "servers" | "table">;

interface Reading {
  readonly end: "reached" | "absent" | undefined;
  readonly servers: readonly ServerInTable[];
  readonly serviceState: ServiceState | undefined;
}

/**
 * Waits until a service, a real server or a machine meets a condition. Only reads.
 *
 * @throws {KernelRefusal} if the table cannot be read
 */
export async function waitFor(
  client: WaitClient,
  subject: WaitSubject,
  condition: WaitCondition,
  { report, ...options }: WaitOptions,
): Promise<WaitOutcome> {
  const empty = new EmptyReadings();
  const read = async (): Promise<Reading> => {
    const found = await readSubject(client, subject);
    const servers = found ?? [];
    report?.(servers);
    const state = isService(subject) && found ? stateOf(servers) : undefined;
    if (!found) return { end: "absent", servers, serviceState: state };
    const met = isMet(condition, servers, state, empty);
    return { end: met ? "reached" : undefined, servers, serviceState: state };
  };
  const { end, last, seconds } = await poll(
    read,
    (reading) => reading.end !== undefined,
    options,
    condition.kind === "drained" ? EMPTY_READINGS : 1,
  );
  const { servers, serviceState } = last;
  return {
    end: end === "settled" ? (last.end ?? "reached") : end,
    servers,
    serviceState,
    seconds,
  };
}

function isService(subject: WaitSubject): boolean {
  return "service" in subject && subject.server === undefined;
}

/** The servers of the subject; undefined if it is not in the table. */
async function readSubject(
  client: WaitClient,
  subject: WaitSubject,
): Promise<readonly ServerInTable[] | undefined> {
  if ("machine" in subject) {
    const found = serversOfMachine(await client.table(), subject.machine);
    return found.length === 0 ? undefined : found;
  }
  const { service: key, server } = subject;
  try {
    const entry = await client.service(key);
    const servers = await client.servers(key);
    const service = { ...entry, servers };
    const chosen = server
      ? servers.filter((one) => nameOf(one.key) === nameOf(server))
      : servers;
    if (server && chosen.length === 0) return undefined;
    return chosen.map((server) => ({ service, server }));
  } catch (error) {
    if (error instanceof KernelRefusal && error.errno === ESRCH)
      return undefined;
    throw error;
  }
}

function nameOf({ address, port }: ServerKey): string {
  return formatEndpoint(address, port);
}

function stateOf(servers: readonly ServerInTable[]): ServiceState {
  return serviceState(servers.map(({ server }) => serverState(server)));
}

function isMet(
  condition: WaitCondition,
  servers: readonly ServerInTable[],
  state: ServiceState | undefined,
  empty: EmptyReadings,
): boolean {
  switch (condition.kind) {
    case "drained":
      return empty
        .next(
          servers.map(({ service, server }) =>
            drainState(service.key, server.key, server),
          ),
        )
        .every(({ state }) => state === "empty");
    case "active": {
      const active = servers.reduce(
        (sum, { server }) => sum + server.activeConnections,
        0,
      );
      return active <= condition.atMost;
    }
    case "state":
      return state === undefined
        ? servers.every(({ server }) => serverState(server) === condition.state)
        : state === condition.state;
  }
}
