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

/** What only the machine at hand can tell. Where it does not tell, there is nothing. */
export class Live {
  readonly #io: Io;

  constructor(io: Io) {
    this.#io = io;
  }

  /**
   * The services of a kind as an option's value: `192.0.2.1:80`, `7`.
   *
   * @param kind tcp, udp, sctp or fwm
   */
  async services(kind: string): Promise<Candidate[]> {
    const services = await this.#services();
    return services.flatMap((service) => {
      const [, found, value = ""] =
        /^([a-z]+)6?\/(.*)$/.exec(formatSelector(service.key)) ?? [];
      return found === kind ? [{ value, description: about(service) }] : [];
    });
  }

  /** All services as subcommands name them: `tcp/192.0.2.1:80`, or without the protocol if that is how it begins. */
  async selectors(text: string): Promise<Candidate[]> {
    const services = await this.#services();
    const bare = /^[0-9[]/.test(text);
    return services.map((service) => {
      const selector = formatSelector(service.key);
      const value =
        bare && !("firewallMark" in service.key)
          ? selector.slice(selector.indexOf("/") + 1)
          : selector;
      return { value, description: about(service) };
    });
  }

  /** The real servers of the services that fit, each once. */
  async servers(
    fits: (key: ServiceKey) => boolean,
    unless: (key: ServiceKey) => boolean = () => false,
  ): Promise<Candidate[]> {
    const table = await this.#withServers();
    const there = new Set(
      table
        .filter(([{ key }]) => unless(key))
        .flatMap(([, servers]) => servers.map(endpointOf)),
    );
    const found = new Map<string, string>();
    const fitting = table.filter(([{ key }]) => fits(key));
    for (const [{ key }, servers] of fitting)
      for (const server of sortServers(servers)) {
        const endpoint = endpointOf(server);
        if (there.has(endpoint) || found.has(endpoint)) continue;
        const whose = fitting.length > 1 ? ` (${formatService(key)})` : "";
        found.set(endpoint, statesOf(server) + whose);
      }
    return described(found);
  }

  /** The schedulers; those that the kernel has first. */
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

  /** Asks for something; without IPVS, or without permission, there is nothing. */
  async #ask<T>(
    question: (client: Awaited<ReturnType<IpvsAccess["open"]>>) => Promise<T[]>,
  ): Promise<T[]> {
    using access = new IpvsAccess(this.#io);
    try {
      return await question(await access.openWithoutLoading());
    } catch {
      return [];
    }
  }

  #services(): Promise<ServiceEntry[]> {
    return this.#ask(async (client) => sortServices(await client.services()));
  }

  #withServers(): Promise<(readonly [ServiceEntry, readonly ServerEntry[]])[]> {
    return this.#ask(async (client) => {
      const table = await client.table();
      return sortServices(table).map(
        (service) => [service, service.servers] as const,
      );
    });
  }
}

/** By the rank of what becomes of a module */
const REMARKS = [" (in the kernel)", "", " (this kernel has none)"];

function about({ key, settings }: ServiceEntry): string {
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

function statesOf({ settings, activeConnections }: ServerEntry): string {
  return `weight ${settings.weight}, ${activeConnections} active connections`;
}
