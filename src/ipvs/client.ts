import { EINTR } from "../netlink/errno.js";
import { MalformedReply } from "../netlink/errors.js";
import type { Exchange, Reply, Request } from "../netlink/exchange.js";
import type { Span } from "../netlink/link.js";
import {
  GenericQuery,
  noAttributes,
  resolveFamily,
} from "../netlink/generic.js";
import type { Writer } from "../netlink/writer.js";
import {
  readDaemon,
  readDestination,
  readUncountedDestination,
  readInfo,
  readService,
  readUncountedService,
  readTimeouts,
  writeServiceKey,
} from "./codec.js";
import { ChangeRequest, subjectOf, type Change } from "./change.js";
import {
  ReplyLost,
  IpvsUnavailable,
  KernelRefusal,
  TableUnsteady,
  type Command,
} from "./errors.js";
import { fingerprint } from "./fingerprint.js";
import { INET, INET6, type Family } from "./address.js";
import { COMMANDS, FAMILY_NAME, FAMILY_VERSION } from "./layouts.js";
import {
  formatService,
  type Daemon,
  type ServerEntry,
  type ServerKey,
  type ServerSettings,
  type Info,
  type ServiceEntry,
  type ServiceKey,
  type ServiceSettings,
  type ServerWithoutStats,
  type ServiceWithoutStats,
  type ServiceWithServers,
  type ServiceAndServersWithoutStats,
  type Timeouts,
} from "./model.js";
import { chunksOf } from "./chunks.js";

/** How often a table is read again until two readings agree. */
const READINGS = 10;

export type { Change } from "./change.js";

/**
 * IPVS as a set of typed calls over one netlink socket. Prints noAttributes, knows no command line.
 *
 * Calls may overlap; they are served one after the other. `await using` closes the socket at the end of the block.
 * Beside what is said of each, every call throws {@link SocketFault} when the socket fails and
 * {@link MalformedReply} when an answer cannot be read; those that change something, {@link ReplyLost}.
 */
export class IpvsClient implements Disposable, AsyncDisposable {
  readonly #exchange: Exchange;
  readonly #close: () => void;
  readonly #family: number;
  /** What the module said of itself when the client was opened. */
  readonly info: Info;

  private constructor(
    exchange: Exchange,
    close: () => void,
    family: number,
    info: Info,
  ) {
    this.#exchange = exchange;
    this.#close = close;
    this.#family = family;
    this.info = info;
  }

  /**
   * Finds IPVS and asks it for its version, over an exchange that stands already. See {@link openIpvs} for
   * all in one.
   *
   * @param close is called when the client is closed, not when this fails
   * @throws {IpvsUnavailable} ENOENT if the module ip_vs is not loaded, EPERM without CAP_NET_ADMIN
   * @throws {SocketFault} when the socket fails
   */
  static async open(
    exchange: Exchange,
    close: () => void = () => undefined,
  ): Promise<IpvsClient> {
    const family = await resolveFamily(exchange, FAMILY_NAME);
    if ("errno" in family) throw new IpvsUnavailable(family.errno);
    const [reply] = await exchange([
      new GenericQuery(
        family.id,
        FAMILY_VERSION,
        COMMANDS.getInfo,
        "one",
        noAttributes,
        readInfo,
      ),
    ]);
    if (reply?.kind === "refused")
      throw new IpvsUnavailable(reply.refusal.errno);
    const [info] = entriesOf(reply, "get-info");
    if (!info) throw new MalformedReply("GET_INFO was not answered", 0);
    return new IpvsClient(exchange, close, family.id, info);
  }

  /** Closes the socket when the calls under way have been answered; calls after that fail with EBADF. */
  async close(): Promise<void> {
    await this.#exchange([]); // it comes after all that was asked before
    this.#close();
  }

  /** The same, at the end of a block with `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Closes the socket at once; calls under way fail with EBADF. */
  [Symbol.dispose](): void {
    this.#close();
  }

  /**
   * Carries out changes in the order given, many to a system call.
   *
   * A change that is refused keeps none of the others from being carried out: each place in the
   * result tells what became of the change at that place, undefined being success. They are read when their turn
   * comes: leave them as they are until then.
   *
   * @example
   * ```ts
   * import { openIpvs, parseService, serviceSettings, type Change } from "ipvsadm";
   *
   * await using ipvs = await openIpvs();
   * const service = parseService("UDP 192.0.2.53:53");
   * const add: Change = { command: "add-service", service, settings: serviceSettings(service) };
   * const [first, second] = await ipvs.apply([add, add]);
   * console.log(first?.message, second?.message);
   * ```
   * ```text
   * undefined Cannot add-service UDP 192.0.2.53:53: EEXIST
   * ```
   *
   * @throws {SocketFault} when the socket fails; then nothing is known of the changes
   */
  async apply(
    changes: readonly Change[],
  ): Promise<(KernelRefusal | ReplyLost | undefined)[]> {
    const replies = await this.#exchange(
      changes.map((change) => new ChangeRequest(this.#family, change)),
    );
    return changes.map((change, i) => {
      const reply = replies[i];
      if (reply?.kind === "done") return undefined;
      return failureOf(reply, change.command, subjectOf(change));
    });
  }

  async #one(change: Change): Promise<void> {
    // Its turn may come later, and meanwhile the caller may make another change of the same object.
    const [failure] = await this.apply([structuredClone(change)]);
    if (failure) throw failure;
  }

  /**
   * Adds a virtual service.
   *
   * @throws {KernelRefusal} EEXIST there is one, ENOENT no such scheduler or persistence engine,
   *   EINVAL port 0 without persistence, or a bad netmask
   * @see ip_vs_add_service() in net/netfilter/ipvs/ip_vs_ctl.c
   */
  addService(service: ServiceKey, settings: ServiceSettings): Promise<void> {
    return this.#one({ command: "add-service", service, settings });
  }

  /**
   * Changes a virtual service in place; its connections live on. All settings are replaced: take those of
   * {@link IpvsClient.service} and change what is to be changed.
   *
   * @throws {KernelRefusal} ESRCH no such service, ENOENT no such scheduler or persistence engine
   * @see ip_vs_edit_service()
   */
  editService(service: ServiceKey, settings: ServiceSettings): Promise<void> {
    return this.#one({ command: "edit-service", service, settings });
  }

  /**
   * Removes a virtual service with all its real servers.
   *
   * @throws {KernelRefusal} ESRCH no such service
   * @see ip_vs_del_service()
   */
  deleteService(service: ServiceKey): Promise<void> {
    return this.#one({ command: "delete-service", service });
  }

  /**
   * Adds a real server to a virtual service.
   *
   * @throws {KernelRefusal} ESRCH no such service, EEXIST there is this server, ERANGE negative weight
   *   or lower threshold above the upper, EINVAL not a unicast address
   * @see ip_vs_add_dest()
   */
  addServer(
    service: ServiceKey,
    server: ServerKey,
    settings: ServerSettings,
  ): Promise<void> {
    return this.#one({ command: "add-server", service, server, settings });
  }

  /**
   * Changes a real server in place; its connections live on. All settings are replaced: take those of
   * {@link IpvsClient.servers} and change what is to be changed.
   *
   * @throws {KernelRefusal} ESRCH no such virtual service, ENOENT no such real server, ERANGE negative
   *   weight or thresholds crossed
   * @see ip_vs_edit_dest()
   */
  editServer(
    service: ServiceKey,
    server: ServerKey,
    settings: ServerSettings,
  ): Promise<void> {
    return this.#one({ command: "edit-server", service, server, settings });
  }

  /**
   * Removes a real server; what its connections still send is dropped.
   *
   * @throws {KernelRefusal} ESRCH no such virtual service, ENOENT no such real server
   * @see ip_vs_del_dest()
   */
  deleteServer(service: ServiceKey, server: ServerKey): Promise<void> {
    return this.#one({ command: "delete-server", service, server });
  }

  /** Removes every virtual service with its real servers; sync daemons and timeouts stay. */
  flush(): Promise<void> {
    return this.#one({ command: "flush" });
  }

  /**
   * Sets the counters of a service and its servers, or of all, to zero.
   *
   * @throws {KernelRefusal} ESRCH no such service
   */
  zero(service?: ServiceKey): Promise<void> {
    return this.#one({ command: "zero", service });
  }

  /**
   * Sets the timeouts of connections; 0 leaves that one as it is.
   *
   * @throws {KernelRefusal} EINVAL beyond what the kernel's clock can count
   */
  setTimeouts(timeouts: Timeouts): Promise<void> {
    return this.#one({ command: "set", timeouts });
  }

  /**
   * Starts a sync daemon.
   *
   * @throws {KernelRefusal} EEXIST one with this role runs, ENODEV no such interface, EINVAL the
   *   interface has no address or carries no multicast
   * @see start_sync_thread() in net/netfilter/ipvs/ip_vs_sync.c
   */
  startDaemon(daemon: Daemon): Promise<void> {
    return this.#one({ command: "start-daemon", daemon });
  }

  /** Stops the sync daemon with the given role. @throws {KernelRefusal} ESRCH none runs */
  stopDaemon(daemon: Daemon): Promise<void> {
    return this.#one({ command: "stop-daemon", daemon });
  }

  /** The timeouts of connections, in seconds. */
  async timeouts(): Promise<Timeouts> {
    const request = this.#query(
      COMMANDS.getConfig,
      "one",
      noAttributes,
      readTimeouts,
    );
    const [timeouts] = await this.#ask(request, "get-timeouts");
    if (!timeouts) throw new MalformedReply("GET_CONFIG was not answered", 0);
    return timeouts;
  }

  /** The sync daemons that run: none, one or two. */
  async daemons(): Promise<Daemon[]> {
    const request = this.#query(
      COMMANDS.getDaemon,
      "dump",
      noAttributes,
      readDaemon,
    );
    return this.#ask(request, "get-daemons");
  }

  /** All virtual services, in the kernel's order: by the rows of its two hash tables. */
  services(): Promise<ServiceEntry[]> {
    return this.#services(readService);
  }

  /** The same without their counters, which are most of what there is to read. */
  uncountedServices(): Promise<ServiceWithoutStats[]> {
    return this.#services(readUncountedService);
  }

  #services<S>(read: (attributes: Span) => S): Promise<S[]> {
    const request = this.#query(
      COMMANDS.getService,
      "dump",
      noAttributes,
      read,
    );
    return this.#ask(request, "list-services");
  }

  /** One virtual service. @throws {KernelRefusal} ESRCH no such service */
  async service(key: ServiceKey): Promise<ServiceEntry> {
    const asked = structuredClone(key);
    const request = this.#query(
      COMMANDS.getService,
      "one",
      (out) => {
        writeServiceKey(out, asked);
      },
      readService,
    );
    const [service] = await this.#ask(request, "get-service", asked);
    if (!service) throw new MalformedReply("GET_SERVICE was not answered", 0);
    return service;
  }

  /**
   * The real servers of a virtual service, in the kernel's order: the newest first.
   *
   * For an unknown service the kernel sends an empty list, not ESRCH: ask for the service first.
   */
  async servers(key: ServiceKey): Promise<readonly ServerEntry[]> {
    const [servers = []] = await this.serversOf([structuredClone(key)]);
    return servers;
  }

  /** The real servers of many virtual services, each list at the place of its service. */
  serversOf(keys: readonly ServiceKey[]): Promise<(readonly ServerEntry[])[]> {
    return this.#serversOf(keys, readDestination);
  }

  /** The same without counters. */
  uncountedServersOf(
    keys: readonly ServiceKey[],
  ): Promise<(readonly ServerWithoutStats[])[]> {
    return this.#serversOf(keys, readUncountedDestination);
  }

  async #serversOf<D>(
    keys: readonly ServiceKey[],
    read: (attributes: Span, serviceFamily: Family) => D,
  ): Promise<(readonly D[])[]> {
    const reading = {
      [INET]: (attributes: Span) => read(attributes, INET),
      [INET6]: (attributes: Span) => read(attributes, INET6),
    };
    const replies = await this.#exchange(
      keys.map((key) => {
        const write = (out: Writer) => {
          writeServiceKey(out, key);
        };
        const command = COMMANDS.getDestination;
        return this.#query(command, "dump", write, reading[key.family]);
      }),
    );
    return keys.map((key, i) => entriesOf(replies[i], "list-servers", key));
  }

  /**
   * Virtual services with their real servers, in the order given and some at a time, so that a long table can
   * be shown or worked on without having all of it in memory.
   */
  withServers(
    services: readonly ServiceEntry[],
  ): AsyncGenerator<ServiceWithServers[]> {
    return this.#withServers(services, readDestination);
  }

  /** The same without counters. */
  withServersWithoutStats(
    services: readonly ServiceWithoutStats[],
  ): AsyncGenerator<ServiceAndServersWithoutStats[]> {
    return this.#withServers(services, readUncountedDestination);
  }

  async *#withServers<S extends ServiceWithoutStats, D>(
    services: readonly S[],
    read: (attributes: Span, serviceFamily: Family) => D,
  ): AsyncGenerator<(S & { servers: readonly D[] })[]> {
    for (const some of chunksOf(services)) {
      const keys = some.map(({ key }) => key);
      const servers = await this.#serversOf(keys, read);
      yield some.map((service, i) => ({
        ...service,
        servers: servers[i] ?? [],
      }));
    }
  }

  /** All virtual services with their real servers: read once. */
  async table(): Promise<ServiceWithServers[]> {
    const table: ServiceWithServers[] = [];
    for await (const some of this.withServers(await this.services()))
      table.push(...some);
    return table;
  }

  /**
   * The whole table as it stood at one moment, for those who will act on it.
   *
   * The kernel's dumps resume by index: while the table changes between two datagrams, an entry can be
   * missed or come twice, and no flag tells. So the table is read until two readings in a row
   * agree in all that can be set and no key comes twice. Counters are those of the last reading.
   *
   * @throws {TableUnsteady} when it changed every time
   */
  async steadyTable(): Promise<ServiceWithServers[]> {
    let before: string | undefined;
    for (let reading = 0; reading < READINGS; reading++) {
      const table = await this.table();
      const now = fingerprint(table);
      if (now !== undefined && now === before) return table;
      before = now;
    }
    throw new TableUnsteady(READINGS);
  }

  #query<T>(
    command: number,
    answer: "one" | "dump",
    write: (out: Writer) => void,
    read: (attributes: Span) => T,
  ): Request<T> {
    return new GenericQuery(
      this.#family,
      FAMILY_VERSION,
      command,
      answer,
      write,
      read,
    );
  }

  async #ask<T>(
    request: Request<T>,
    command: Command,
    service?: ServiceKey,
  ): Promise<T[]> {
    const [reply] = await this.#exchange([request]);
    return [...entriesOf(reply, command, service)];
  }
}

/** What became of a change, if it was not carried out. */
function failureOf(
  reply: Exclude<Reply, { kind: "done" }> | undefined,
  command: Command,
  subject: string,
): KernelRefusal | ReplyLost | undefined {
  if (reply?.kind !== "refused") return new ReplyLost(command, subject);
  const { errno, explanation } = reply.refusal;
  // The kernel's thread had not run yet, which is all that EINTR means here: it is stopped all the same.
  if (command === "stop-daemon" && errno === EINTR) return undefined;
  return new KernelRefusal(errno, command, subject, explanation);
}

/** What was read of an answer. @throws {KernelRefusal} when there is none */
function entriesOf<T>(
  reply: Reply<T> | undefined,
  command: Command,
  service?: ServiceKey,
): readonly T[] {
  if (reply?.kind === "done") return reply.entries;
  const subject = service ? formatService(service) : "";
  throw failureOf(reply, command, subject) ?? new ReplyLost(command, subject);
}
