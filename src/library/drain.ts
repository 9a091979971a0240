import type { ServerInTable } from "../drain/server-in-table.js";
import type { Address } from "../ipvs/address.js";
import type { IpvsClient } from "../ipvs/client.js";
import {
  formatEndpoint,
  formatService,
  type ServerKey,
  type ServiceKey,
  type ServiceWithServers,
} from "../ipvs/model.js";
import {
  LOCK_FIELDS,
  LOCK_OPTIONS,
  locked,
  placeOf,
  type LockOptions,
} from "./locked.js";
import { callback, checkCall, integer, object, optional } from "./shape.js";
import {
  CLIENT,
  INTERVAL,
  SECONDS,
  SERVERS_TO_DRAIN,
  STOP_SIGNAL,
  WAIT_CONDITION,
  WAIT_SUBJECT,
} from "./shapes.js";
import { abortSignal } from "./abort-signal.js";
import type { StopSignal } from "./stop-signal.js";

/**
 * Real servers: some of them, each with its service, or a machine in every service that has it, at
 * any port.
 *
 * @since 0.2.0
 */
export type ServerSelection = readonly ServerOfService[] | Machine;

/**
 * A real server of a service.
 *
 * @since 0.2.0
 */
export interface ServerOfService {
  /** The virtual service */
  readonly service: ServiceKey;
  /** The real server */
  readonly server: ServerKey;
}

/**
 * A machine in every service that has it as a real server.
 *
 * @since 0.2.0
 */
export interface Machine {
  /** Its address */
  readonly machine: Address;
}

/**
 * A real server, a service, or the real servers of a machine are not in the table.
 *
 * @since 0.2.0
 */
export class NotInTable extends Error {
  override readonly name = "NotInTable";
  /** What to do next, as a phrase without a period */
  readonly advice: string = "list the services with their servers";

  /** @param subjects what is missing */
  constructor(
    /** What is missing, such as `10.0.0.11:80 of TCP 192.0.2.1:80` */
    readonly subjects: readonly string[],
  ) {
    super(`Not in the table: ${subjects.join(", ")}`);
  }
}

/**
 * A real server that was drained.
 *
 * @since 0.2.0
 */
export interface DrainedServer extends ServerInTable {
  /** The weight before it was drained; undefined if it is unknown */
  readonly weightBefore: number | undefined;
}

/**
 * The result of {@link drainServers}.
 *
 * @since 0.2.0
 */
export interface DrainResult {
  /** The drained servers, with their connections, as read afterwards */
  readonly servers: readonly DrainedServer[];
  /** Servers that another program removed meanwhile */
  readonly gone: readonly ServerInTable[];
  /** Servers whose old weight could not be saved: {@link undrainServers} needs a weight for them */
  readonly unsaved: readonly ServerInTable[];
}

/**
 * A real server whose weight was restored.
 *
 * @since 0.2.0
 */
export interface UndrainedServer extends ServerInTable {
  /** The weight until now */
  readonly weightBefore: number;
}

/**
 * The result of {@link undrainServers}.
 *
 * @since 0.2.0
 */
export interface UndrainResult {
  /** All selected servers, as read afterwards. Those that were not drained keep their weight */
  readonly servers: readonly UndrainedServer[];
  /** Servers that another program removed meanwhile */
  readonly gone: readonly ServerInTable[];
}

/**
 * Sets the weights of real servers to 0, as `ipvsadm drain` does: they get no new connections, and
 * existing ones continue. Saves the old weights until reboot. Either all are drained, or none. It holds
 * the lock of `ipvsadm apply` meanwhile. {@link waitUntil} then waits for the last connection.
 *
 * @param selection the servers. For a machine, also servers that are added meanwhile
 * @throws {NotInTable} if a server is not in the table. Nothing was changed
 * @throws {PlanFailed} if a weight could not be set; `notRolledBack` lists those that could not be set
 *   back
 * @throws {LockHeld} if another process holds the lock
 * @throws {LockFailed} if the lock cannot be created
 * @throws {InvalidArgument} if an argument is wrong
 * @since 0.2.0
 */
export async function drainServers(
  ipvs: IpvsClient,
  selection: ServerSelection,
  options: LockOptions = {},
): Promise<DrainResult> {
  checkCall(
    "drainServers",
    ["ipvs", ipvs, CLIENT],
    ["selection", selection, SERVERS_TO_DRAIN],
    ["options", options, LOCK_OPTIONS],
  );
  const drain = await import("../drain/drain-servers.js");
  const choose = await chooser(selection);
  const { servers, gone, unsaved } = await locked(options, () =>
    drain.drainServers(ipvs, choose, placeOf(options), {
      signal: abortSignal(options.signal),
    }),
  );
  return {
    servers: servers.map(({ service, server, weightBefore }) => ({
      service,
      server,
      weightBefore,
    })),
    gone: gone.map(withoutWeight),
    unsaved: unsaved.map(withoutWeight),
  };
}

function withoutWeight({ service, server }: ServerInTable): ServerInTable {
  return { service, server };
}

/**
 * How to restore weights.
 *
 * @since 0.2.0
 */
export interface UndrainOptions extends LockOptions {
  /** The new weight of all selected servers, 1 to 2147483647; by default their saved weights */
  readonly weight?: number | undefined;
}

const UNDRAIN_OPTIONS = object("options", {
  ...LOCK_FIELDS,
  weight: optional(integer(1, 0x7fffffff)),
});

/**
 * Restores the weights of drained real servers, as `ipvsadm undrain` does: all of them, or none.
 *
 * @param selection the servers
 * @throws {NotInTable} if a server is not in the table. Nothing was changed
 * @throws {NoSavedWeight} if the old weight of a drained server is not known. Nothing was changed
 * @throws {PlanFailed} if a weight could not be set; `notRolledBack` lists those that could not be set
 *   back
 * @throws {LockHeld} if another process holds the lock
 * @throws {LockFailed} if the lock cannot be created
 * @throws {InvalidArgument} if an argument is wrong
 * @since 0.2.0
 */
export async function undrainServers(
  ipvs: IpvsClient,
  selection: ServerSelection,
  options: UndrainOptions = {},
): Promise<UndrainResult> {
  checkCall(
    "undrainServers",
    ["ipvs", ipvs, CLIENT],
    ["selection", selection, SERVERS_TO_DRAIN],
    ["options", options, UNDRAIN_OPTIONS],
  );
  const drain = await import("../drain/undrain-servers.js");
  const choose = await chooser(selection);
  const { servers, gone } = await locked(options, () =>
    drain.undrainServers(ipvs, choose, placeOf(options), {
      weight: options.weight,
      signal: abortSignal(options.signal),
    }),
  );
  return { servers, gone: gone.map(withoutWeight) };
}

/** Picks the selected servers from each reading of the table; at the first one they must be there. */
async function chooser(selection: ServerSelection) {
  const { serversOfMachine } = await import("../drain/machine.js");
  const { formatAddress } = await import("../ipvs/address.js");
  let first = true;
  return (table: readonly ServiceWithServers[]): readonly ServerInTable[] => {
    const missing: string[] = [];
    let found: readonly ServerInTable[];
    if ("machine" in selection) {
      found = serversOfMachine(table, selection.machine);
      if (found.length === 0) missing.push(formatAddress(selection.machine));
    } else {
      const all = new Map(
        table.flatMap((service) =>
          service.servers.map((server) => [
            nameOf({ service: service.key, server: server.key }),
            { service, server },
          ]),
        ),
      );
      found = selection.flatMap((one) => {
        const server = all.get(nameOf(one));
        if (!server) missing.push(nameOf(one));
        return server ?? [];
      });
    }
    if (first && missing.length > 0) throw new NotInTable(missing);
    first = false;
    return found;
  };
}

function nameOf({
  service,
  server: { address, port },
}: {
  readonly service: ServiceKey;
  readonly server: ServerKey;
}): string {
  return `${formatEndpoint(address, port)} of ${formatService(service)}`;
}

/**
 * What {@link waitUntil} looks at: a service with all its servers, one server, or a machine in every
 * service that has it.
 *
 * @since 0.2.0
 */
export type WaitSubject = ServerOfService | WaitedService | Machine;

/**
 * A service with all its real servers.
 *
 * @since 0.2.0
 */
export interface WaitedService {
  /** The virtual service */
  readonly service: ServiceKey;
  /** All its servers */
  readonly server?: undefined;
}

/**
 * What {@link waitUntil} waits for.
 *
 * @since 0.2.0
 */
export type WaitCondition = DrainedCondition | ActiveCondition | StateCondition;

/**
 * Each server has weight 0, no active connections and no persistence templates, in two readings in a
 * row. For UDP and firewall marks also no inactive connections.
 *
 * @since 0.2.0
 */
export interface DrainedCondition {
  /** Which condition it is */
  readonly kind: "drained";
}

/**
 * All servers together have few active connections.
 *
 * @since 0.2.0
 */
export interface ActiveCondition {
  /** Which condition it is */
  readonly kind: "active";
  /** At most this number of active connections, 0 or more */
  readonly atMost: number;
}

/**
 * The service, or each server, is in a state.
 *
 * @since 0.2.0
 */
export interface StateCondition {
  /** Which condition it is */
  readonly kind: "state";
  /**
   * Of a service: `ok`, `all-overloaded`, `all-drained` or `no-servers`. Of a server: `ok`,
   * `maybe-overloaded`, `draining` or `overloaded`
   */
  readonly state:
    | "ok"
    | "all-overloaded"
    | "all-drained"
    | "no-servers"
    | "maybe-overloaded"
    | "draining"
    | "overloaded";
}

/**
 * How to wait.
 *
 * @since 0.2.0
 */
export interface WaitOptions {
  /** Time between two readings, in seconds, 0.1 or more; by default 1 */
  readonly intervalSeconds?: number | undefined;
  /** How long to wait, in seconds; by default without limit */
  readonly timeoutSeconds?: number | undefined;
  /** Stops waiting early */
  readonly signal?: StopSignal | undefined;
  /** Is called after each reading, with the servers */
  readonly report?: ((servers: readonly ServerInTable[]) => void) | undefined;
}

/**
 * The result of {@link waitUntil}.
 *
 * @since 0.2.0
 */
export interface WaitResult {
  /**
   * `reached`: the condition is met. `absent`: the subject is not in the table, or was removed.
   * `timeout`: the time is over. `aborted`: the signal was triggered
   */
  readonly end: "reached" | "absent" | "timeout" | "aborted";
  /** The servers in the last reading */
  readonly servers: readonly ServerInTable[];
  /** How long it took */
  readonly seconds: number;
}

const WAIT_OPTIONS = object("options", {
  intervalSeconds: optional(INTERVAL),
  timeoutSeconds: optional(SECONDS),
  signal: optional(STOP_SIGNAL),
  report: optional(callback),
});

/**
 * Waits until a service, a real server or a machine meets a condition, as `ipvsadm wait` does. Only
 * reads. Reads at least once.
 *
 * @throws {KernelRefusal} if the table cannot be read
 * @throws {InvalidArgument} if an argument is wrong
 * @since 0.2.0
 */
export async function waitUntil(
  ipvs: IpvsClient,
  subject: WaitSubject,
  condition: WaitCondition,
  options: WaitOptions = {},
): Promise<WaitResult> {
  checkCall(
    "waitUntil",
    ["ipvs", ipvs, CLIENT],
    ["subject", subject, WAIT_SUBJECT],
    ["condition", condition, WAIT_CONDITION],
    ["options", options, WAIT_OPTIONS],
  );
  const { waitFor } = await import("../drain/wait-for.js");
  const { systemClock } = await import("../system/clock.js");
  const { report } = options;
  const { end, servers, seconds } = await waitFor(ipvs, subject, condition, {
    pollSeconds: options.intervalSeconds ?? 1,
    timeoutSeconds: options.timeoutSeconds,
    signal: abortSignal(options.signal),
    clock: systemClock,
    ...(report && { report }),
  });
  return { end, servers, seconds };
}
