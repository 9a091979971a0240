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
  readDestinationSummary,
  readInfo,
  readService,
  readServiceSummary,
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
import { settingsText } from "./settings-text.js";
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
  type ServerSummary,
  type ServiceSummary,
  type ServiceWithServers,
  type ServiceSummaryWithServers,
  type Timeouts,
} from "./model.js";
import { serviceChunks } from "./service-chunks.js";

/** How often steadyTable() reads the table until two readings agree. */
const READINGS = 10;

export type { Change } from "./change.js";

/**
 * IPVS as typed methods on one netlink socket. Prints nothing and loads no kernel module. Create
 * one with {@link openIpvs}.
 *
 * Calls may overlap; they are served one after the other. `await using` closes the socket at the
 * end of the block.
 *
 * Every method can throw {@link SocketFault} if the socket fails, and {@link MalformedReply} if the
 * kernel's reply cannot be decoded. Every method that changes something can throw {@link ReplyLost}
 * if the kernel's reply is lost. In programs that import the library, every method throws
 * InvalidArgument if an argument is wrong.
 *
 * @since 0.1.0
 */
export class IpvsClient implements Disposable, AsyncDisposable {
  readonly #exchange: Exchange;
  readonly #close: () => void;
  readonly #family: number;
  /** The version and size of the kernel module, read when the client was opened. */
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
   * Looks up IPVS and reads its version, over an existing exchange. {@link openIpvs} also opens the
   * socket.
   *
   * @param exchange sends the requests, see {@link exchangeOver}
   * @param close closes the socket. close() calls it; a failed open() does not
   * @throws {IpvsUnavailable} ENOENT: the module ip_vs is not loaded. EPERM: no CAP_NET_ADMIN
   * @throws {SocketFault} if the socket fails
   * @since 0.1.0
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
    if (!info) throw new MalformedReply("the reply to GET_INFO is empty", 0);
    return new IpvsClient(exchange, close, family.id, info);
  }

  /**
   * Waits for pending calls, then closes the socket. Later calls fail with EBADF.
   *
   * @since 0.1.0
   */
  async close(): Promise<void> {
    await this.#exchange([]); // resolves after all earlier calls
    this.#close();
  }

  /**
   * Does the same as {@link IpvsClient.close}, at the end of an `await using` block.
   *
   * @since 0.1.0
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Closes the socket at once. Pending calls fail with EBADF.
   *
   * @since 0.1.0
   */
  [Symbol.dispose](): void {
    this.#close();
  }

  /**
   * Carries out changes in the order given, with as few system calls as possible.
   *
   * The result has one entry per change: undefined for success, otherwise the error. A refused
   * change does not stop the others. Do not modify the changes until the promise resolves.
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
   * @throws {SocketFault} if the socket fails. The outcome of the changes is then unknown
   * @since 0.1.0
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
    // The request is encoded later, and the caller may modify the object until then.
    const [failure] = await this.apply([structuredClone(change)]);
    if (failure) throw failure;
  }

  /**
   * Adds a virtual service.
   *
   * @param settings see {@link serviceSettings} for defaults
   * @throws {KernelRefusal} EEXIST: the service exists. ENOENT: no such scheduler or persistence
   *   engine. EINVAL: port 0 without persistence, or an invalid netmask
   * @see ip_vs_add_service() in net/netfilter/ipvs/ip_vs_ctl.c
   * @since 0.1.0
   */
  addService(service: ServiceKey, settings: ServiceSettings): Promise<void> {
    return this.#one({ command: "add-service", service, settings });
  }

  /**
   * Changes a virtual service in place. Existing connections are kept. Replaces all settings: start
   * with those from {@link IpvsClient.service}.
   *
   * @throws {KernelRefusal} ESRCH: no such service. ENOENT: no such scheduler or persistence
   *   engine. EINVAL: an invalid netmask
   * @see ip_vs_edit_service() in net/netfilter/ipvs/ip_vs_ctl.c
   * @since 0.1.0
   */
  editService(service: ServiceKey, settings: ServiceSettings): Promise<void> {
    return this.#one({ command: "edit-service", service, settings });
  }

  /**
   * Deletes a virtual service with all its real servers.
   *
   * @throws {KernelRefusal} ESRCH: no such service
   * @see ip_vs_del_service() in net/netfilter/ipvs/ip_vs_ctl.c
   * @since 0.1.0
   */
  deleteService(service: ServiceKey): Promise<void> {
    return this.#one({ command: "delete-service", service });
  }

  /**
   * Adds a real server to a virtual service.
   *
   * @param settings see {@link serverSettings} for defaults
   * @throws {KernelRefusal} ESRCH: no such virtual service. EEXIST: the service has this server.
   *   ERANGE: negative weight, or lower threshold above upper. EINVAL: not a unicast address
   * @see ip_vs_add_dest() in net/netfilter/ipvs/ip_vs_ctl.c
   * @since 0.1.0
   */
  addServer(
    service: ServiceKey,
    server: ServerKey,
    settings: ServerSettings,
  ): Promise<void> {
    return this.#one({ command: "add-server", service, server, settings });
  }

  /**
   * Changes a real server in place. Existing connections are kept. Replaces all settings: start
   * with those from {@link IpvsClient.servers}.
   *
   * @param settings.weight 0 to 2147483647. 0 accepts no new connections
   * @throws {KernelRefusal} ESRCH: no such virtual service. ENOENT: no such real server. ERANGE:
   *   negative weight, or lower threshold above upper
   * @see ip_vs_edit_dest() in net/netfilter/ipvs/ip_vs_ctl.c
   * @since 0.1.0
   */
  editServer(
    service: ServiceKey,
    server: ServerKey,
    settings: ServerSettings,
  ): Promise<void> {
    return this.#one({ command: "edit-server", service, server, settings });
  }

  /**
   * Deletes a real server. Packets of its existing connections are dropped.
   *
   * @throws {KernelRefusal} ESRCH: no such virtual service. ENOENT: no such real server
   * @see ip_vs_del_dest() in net/netfilter/ipvs/ip_vs_ctl.c
   * @since 0.1.0
   */
  deleteServer(service: ServiceKey, server: ServerKey): Promise<void> {
    return this.#one({ command: "delete-server", service, server });
  }

  /**
   * Deletes all virtual services with their real servers. Sync daemons and timeouts are kept.
   *
   * @throws {KernelRefusal} EPERM: no CAP_NET_ADMIN
   * @see ip_vs_flush() in net/netfilter/ipvs/ip_vs_ctl.c
   * @since 0.1.0
   */
  flush(): Promise<void> {
    return this.#one({ command: "flush" });
  }

  /**
   * Resets the counters of a virtual service and its servers.
   *
   * @param service undefined resets the counters of all services
   * @throws {KernelRefusal} ESRCH: no such service
   * @see ip_vs_zero_service(), ip_vs_zero_all() in net/netfilter/ipvs/ip_vs_ctl.c
   * @since 0.1.0
   */
  zero(service?: ServiceKey): Promise<void> {
    return this.#one({ command: "zero", service });
  }

  /**
   * Sets the timeouts of idle connections. 0 leaves a timeout unchanged.
   *
   * @throws {KernelRefusal} EINVAL: a timeout above INT_MAX / HZ seconds
   * @see ip_vs_set_timeout() in net/netfilter/ipvs/ip_vs_ctl.c
   * @since 0.1.0
   */
  setTimeouts(timeouts: Timeouts): Promise<void> {
    return this.#one({ command: "set", timeouts });
  }

  /**
   * Starts a sync daemon.
   *
   * @throws {KernelRefusal} EEXIST: a daemon with this role is running. ENODEV: no such interface.
   *   EINVAL: the interface has no address, or does not support multicast
   * @see start_sync_thread() in net/netfilter/ipvs/ip_vs_sync.c
   * @since 0.1.0
   */
  startDaemon(daemon: Daemon): Promise<void> {
    return this.#one({ command: "start-daemon", daemon });
  }

  /**
   * Stops the sync daemon with the given role.
   *
   * @throws {KernelRefusal} ESRCH: no daemon with this role is running
   * @see stop_sync_thread() in net/netfilter/ipvs/ip_vs_sync.c
   * @since 0.1.0
   */
  stopDaemon(daemon: Daemon): Promise<void> {
    return this.#one({ command: "stop-daemon", daemon });
  }

  /**
   * Reads the timeouts of idle connections, in seconds.
   *
   * @since 0.1.0
   */
  async timeouts(): Promise<Timeouts> {
    const request = this.#query(
      COMMANDS.getConfig,
      "one",
      noAttributes,
      readTimeouts,
    );
    const [timeouts] = await this.#ask(request, "get-timeouts");
    if (!timeouts)
      throw new MalformedReply("the reply to GET_CONFIG is empty", 0);
    return timeouts;
  }

  /**
   * Reads the running sync daemons: none, one or two.
   *
   * @since 0.1.0
   */
  async daemons(): Promise<Daemon[]> {
    const request = this.#query(
      COMMANDS.getDaemon,
      "dump",
      noAttributes,
      readDaemon,
    );
    return this.#ask(request, "get-daemons");
  }

  /**
   * Reads all virtual services, in the kernel's order: by hash bucket.
   *
   * @since 0.1.0
   */
  services(): Promise<ServiceEntry[]> {
    return this.#services(readService);
  }

  /**
   * Reads all virtual services without their counters. Faster, because counters are most of a
   * reply.
   *
   * @since 0.2.0
   */
  serviceSummaries(): Promise<ServiceSummary[]> {
    return this.#services(readServiceSummary);
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

  /**
   * Reads one virtual service.
   *
   * @throws {KernelRefusal} ESRCH: no such service
   * @since 0.1.0
   */
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
    if (!service)
      throw new MalformedReply("the reply to GET_SERVICE is empty", 0);
    return service;
  }

  /**
   * Reads the real servers of a virtual service, in the kernel's order: newest first.
   *
   * For an unknown service the kernel returns an empty list, not ESRCH. Call
   * {@link IpvsClient.service} first to find out whether it exists.
   *
   * @since 0.1.0
   */
  async servers(key: ServiceKey): Promise<readonly ServerEntry[]> {
    const [servers = []] = await this.serversOf([structuredClone(key)]);
    return servers;
  }

  /**
   * Reads the real servers of several virtual services: one list per service, in the order given.
   *
   * @since 0.1.0
   */
  serversOf(keys: readonly ServiceKey[]): Promise<(readonly ServerEntry[])[]> {
    return this.#serversOf(keys, readDestination);
  }

  /**
   * Reads the real servers of several virtual services without their counters.
   *
   * @since 0.2.0
   */
  serverSummariesOf(
    keys: readonly ServiceKey[],
  ): Promise<(readonly ServerSummary[])[]> {
    return this.#serversOf(keys, readDestinationSummary);
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
   * Adds the real servers to virtual services, chunk by chunk, in the order given. A long table
   * never needs to be in memory as a whole.
   *
   * @since 0.1.0
   */
  withServers(
    services: readonly ServiceEntry[],
  ): AsyncGenerator<ServiceWithServers[]> {
    return this.#withServers(services, readDestination);
  }

  /**
   * Adds the real servers to virtual services, all without counters.
   *
   * @since 0.2.0
   */
  withServerSummaries(
    services: readonly ServiceSummary[],
  ): AsyncGenerator<ServiceSummaryWithServers[]> {
    return this.#withServers(services, readDestinationSummary);
  }

  async *#withServers<S extends ServiceSummary, D>(
    services: readonly S[],
    read: (attributes: Span, serviceFamily: Family) => D,
  ): AsyncGenerator<(S & { servers: readonly D[] })[]> {
    for (const some of serviceChunks(services)) {
      const keys = some.map(({ key }) => key);
      const servers = await this.#serversOf(keys, read);
      yield some.map((service, i) => ({
        ...service,
        servers: servers[i] ?? [],
      }));
    }
  }

  /**
   * Reads all virtual services with their real servers once. If the table changes meanwhile,
   * entries may be missing or appear twice: see {@link IpvsClient.steadyTable}.
   *
   * @since 0.1.0
   */
  async table(): Promise<ServiceWithServers[]> {
    const table: ServiceWithServers[] = [];
    for await (const some of this.withServers(await this.services()))
      table.push(...some);
    return table;
  }

  /**
   * Reads a consistent copy of the whole table. Use it if you will act on the result.
   *
   * The kernel's dumps continue by index. If the table changes between two datagrams, an entry can
   * be missing or appear twice, and the kernel does not report it. Therefore the table is read
   * until two readings in a row have the same settings, and no key appears twice, but at most 10
   * times. The counters are those of the last reading.
   *
   * @throws {TableUnsteady} if no two readings in a row agree
   * @since 0.1.0
   */
  async steadyTable(): Promise<ServiceWithServers[]> {
    let before: string | undefined;
    for (let reading = 0; reading < READINGS; reading++) {
      const table = await this.table();
      const now = settingsText(table);
      if (now !== undefined && now === before) return table;
      before = now;
    }
    throw new TableUnsteady(READINGS);
  }

  #query<T>(
    command: number,
    expects: "one" | "dump",
    write: (out: Writer) => void,
    read: (attributes: Span) => T,
  ): Request<T> {
    return new GenericQuery(
      this.#family,
      FAMILY_VERSION,
      command,
      expects,
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

/** The error of a change; undefined if it was carried out. */
function failureOf(
  reply: Exclude<Reply, { kind: "done" }> | undefined,
  command: Command,
  subject: string,
): KernelRefusal | ReplyLost | undefined {
  if (reply?.kind !== "refused") return new ReplyLost(command, subject);
  const { errno, explanation } = reply.refusal;
  // Here EINTR only means that the kernel's thread had not run yet. The daemon is stopped.
  if (command === "stop-daemon" && errno === EINTR) return undefined;
  return new KernelRefusal(errno, command, subject, explanation);
}

/** The decoded messages of a reply. @throws {KernelRefusal} if the kernel refused the request */
function entriesOf<T>(
  reply: Reply<T> | undefined,
  command: Command,
  service?: ServiceKey,
): readonly T[] {
  if (reply?.kind === "done") return reply.entries;
  const subject = service ? formatService(service) : "";
  throw failureOf(reply, command, subject) ?? new ReplyLost(command, subject);
}
