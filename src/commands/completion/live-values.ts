import { IpvsAccess } from "../../runtime/ipvs-access.js";
import { formatSelector } from "../../grammar/selector.js";
import { INET6 } from "../../ipvs/address.js";
import {
  formatEndpoint,
  formatService,
  PERSISTENT,
  type ServerEntry,
  type ServiceEntry,
  type ServiceKey,
} from "../../ipvs/model.js";
import { SCHEDULERS, PERSISTENCE_ENGINES } from "../../ipvs/schedulers.js";
import type { Io } from "../../runtime/io.js";
import {
  moduleStates,
  multicastInterfaces,
} from "../../system/kernel-module.js";
import { sortServers, sortServices } from "../../view/order.js";
import { described, plain, type Candidate } from "./candidates.js";

/** Values that come from this machine. If something cannot be read, there are no candidates for it. */
export class LiveValues {
  readonly #io: Io;

  constructor(io: Io) {
    this.#io = io;
  }

  /**
   * Returns the services of a kind as the value of a classic option: `192.0.2.1:80`, `7`.
   *
   * @param kind tcp, udp, sctp or fwm
   */
  async services(kind: string): Promise<Candidate[]> {
    const services = await this.#services();
    return services.flatMap((service) => {
      const [, found, value = ""] =
        /^([a-z]+)6?\/(.*)$/.exec(formatSelector(service.key)) ?? [];
      return found === kind ? [{ value, description: describe(service) }] : [];
    });
  }

  /** Returns all services as a SERVICE argument names them: `tcp/192.0.2.1:80`, or without protocol if the text has none. */
  async selectors(text: string): Promise<Candidate[]> {
    const services = await this.#services();
    const bare = /^[0-9[]/.test(text);
    return services.map((service) => {
      const selector = formatSelector(service.key);
      const value =
        bare && !("firewallMark" in service.key)
          ? selector.slice(selector.indexOf("/") + 1)
          : selector;
      return { value, description: describe(service) };
    });
  }

  /** Returns the real servers of matching services, each once. @param except skip the servers of these services */
  async servers(
    matches: (key: ServiceKey) => boolean,
    except: (key: ServiceKey) => boolean = () => false,
  ): Promise<Candidate[]> {
    const table = await this.#withServers();
    const excluded = new Set(
      table
        .filter(([{ key }]) => except(key))
        .flatMap(([, servers]) => servers.map(endpointOf)),
    );
    const found = new Map<string, string>();
    const matching = table.filter(([{ key }]) => matches(key));
    for (const [{ key }, servers] of matching)
      for (const server of sortServers(servers)) {
        const endpoint = endpointOf(server);
        if (excluded.has(endpoint) || found.has(endpoint)) continue;
        const service = matching.length > 1 ? ` (${formatService(key)})` : "";
        found.set(endpoint, describeServer(server) + service);
      }
    return described(found);
  }

  /** Returns the schedulers. Those that the kernel has are first. */
  schedulers(): Candidate[] {
    return this.#modules(SCHEDULERS, "ip_vs_");
  }

  persistenceEngines(): Candidate[] {
    return this.#modules(PERSISTENCE_ENGINES, "ip_vs_pe_");
  }

  interfaces(): Candidate[] {
    return plain(multicastInterfaces(this.#io.sysFolder));
  }

  #modules(known: ReadonlyMap<string, string>, prefix: string): Candidate[] {
    const { procFolder, sysFolder, modulesFolder } = this.#io;
    const states = moduleStates(
      Array.from(known.keys(), (name) => prefix + name),
      procFolder,
      sysFolder,
      modulesFolder,
    );
    const ranked = Array.from(known, ([name, description]) => {
      const state = states.get(prefix + name);
      const rank = state === "there" ? 0 : state === "absent" ? 2 : 1;
      const remark = REMARKS[rank];
      return { rank, value: name, description: description + (remark ?? "") };
    });
    return ranked
      .sort((a, b) => a.rank - b.rank)
      .map(({ value, description }) => ({ value, description }));
  }

  /** Reads from IPVS. Without IPVS, or without permission, the result is empty. */
  async #read<T>(
    request: (client: Awaited<ReturnType<IpvsAccess["open"]>>) => Promise<T[]>,
  ): Promise<T[]> {
    using access = new IpvsAccess(this.#io);
    try {
      return await request(await access.openWithoutLoading());
    } catch {
      return [];
    }
  }

  #services(): Promise<ServiceEntry[]> {
    return this.#read(async (client) => sortServices(await client.services()));
  }

  #withServers(): Promise<(readonly [ServiceEntry, readonly ServerEntry[]])[]> {
    return this.#read(async (client) => {
      const table = await client.table();
      return sortServices(table).map(
        (service) => [service, service.servers] as const,
      );
    });
  }
}

/** The remark for each rank: loaded or built in, loadable, not available. */
const REMARKS = [" (in the kernel)", "", " (not available in this kernel)"];

function describe({ key, settings }: ServiceEntry): string {
  const persistent =
    settings.flags & PERSISTENT
      ? `, persistent ${settings.timeoutSeconds} s`
      : "";
  const ipv6 =
    "firewallMark" in key && key.family === INET6 ? ", IPv6 (-6)" : "";
  return `scheduler ${settings.scheduler}${persistent}${ipv6}`;
}

function endpointOf({ key }: ServerEntry): string {
  return formatEndpoint(key.address, key.port);
}

function describeServer({ settings, activeConnections }: ServerEntry): string {
  return `weight ${settings.weight}, ${activeConnections} active connections`;
}
