import type { Change } from "../ipvs/change.js";
import type { Existing } from "./compare.js";
import { keepsDaemon, keepsServer, keepsService } from "./settings-match.js";
import {
  formatEndpoint,
  formatService,
  type ServerKey,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
  type Timeouts,
} from "../ipvs/model.js";

/** What the kernel has, to be asked whether changes have been carried out. */
export class Outcome {
  readonly #existing: Existing;
  readonly #services = new Map<string, ServiceSettings>();
  readonly #servers = new Map<string, ServerSettings>();

  constructor(existing: Existing) {
    this.#existing = existing;
    for (const { key, settings, servers } of existing.services) {
      this.#services.set(formatService(key), settings);
      for (const server of servers)
        this.#servers.set(nameOf(key, server.key), server.settings);
    }
  }

  /** Whether it is what a change was to make of it. Counters do not tell whether they were zeroed. */
  shows(change: Change): boolean {
    switch (change.command) {
      case "add-service":
      case "edit-service": {
        const has = this.#services.get(formatService(change.service));
        return has !== undefined && keepsService(has, change.settings);
      }
      case "delete-service":
        return !this.#services.has(formatService(change.service));
      case "add-server":
      case "edit-server": {
        const has = this.#servers.get(nameOf(change.service, change.server));
        return has !== undefined && keepsServer(has, change.settings);
      }
      case "delete-server":
        return !this.#servers.has(nameOf(change.service, change.server));
      case "flush":
        return this.#services.size === 0;
      case "zero":
        return false;
      case "set":
        return this.#hasTimeouts(change.timeouts);
      case "start-daemon":
      case "stop-daemon": {
        const runs = this.#existing.daemons?.some((daemon) =>
          keepsDaemon(daemon, change.daemon),
        );
        return runs === (change.command === "start-daemon");
      }
    }
  }

  #hasTimeouts({ tcpSeconds, tcpFinSeconds, udpSeconds }: Timeouts): boolean {
    const { timeouts } = this.#existing;
    const set = (wanted: number, has: number) => wanted === 0 || wanted === has;
    return (
      timeouts !== undefined &&
      set(tcpSeconds, timeouts.tcpSeconds) &&
      set(tcpFinSeconds, timeouts.tcpFinSeconds) &&
      set(udpSeconds, timeouts.udpSeconds)
    );
  }
}

function nameOf(service: ServiceKey, { address, port }: ServerKey): string {
  return `${formatService(service)} ${formatEndpoint(address, port)}`;
}
