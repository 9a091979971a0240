import type { Change } from "../ipvs/change.js";
import type { CurrentState } from "./current-state.js";
import {
  daemonMatches,
  serverMatches,
  serviceMatches,
} from "./settings-match.js";
import {
  formatService,
  type ServerSettings,
  type ServiceSettings,
  type Timeouts,
} from "../ipvs/model.js";
import { serverId } from "./server-id.js";

/** Tells from the current state whether a change has taken effect. */
export class ChangesInEffect {
  readonly #current: CurrentState;
  readonly #services = new Map<string, ServiceSettings>();
  readonly #servers = new Map<string, ServerSettings>();

  constructor(current: CurrentState) {
    this.#current = current;
    for (const { key, settings, servers } of current.services) {
      this.#services.set(formatService(key), settings);
      for (const server of servers)
        this.#servers.set(serverId(key, server.key), server.settings);
    }
  }

  /** Whether the state is what the change asked for. Always false for `zero`, which leaves no trace in the settings. */
  has(change: Change): boolean {
    switch (change.command) {
      case "add-service":
      case "edit-service": {
        const current = this.#services.get(formatService(change.service));
        return (
          current !== undefined && serviceMatches(current, change.settings)
        );
      }
      case "delete-service":
        return !this.#services.has(formatService(change.service));
      case "add-server":
      case "edit-server": {
        const current = this.#servers.get(
          serverId(change.service, change.server),
        );
        return current !== undefined && serverMatches(current, change.settings);
      }
      case "delete-server":
        return !this.#servers.has(serverId(change.service, change.server));
      case "flush":
        return this.#services.size === 0;
      case "zero":
        return false;
      case "set":
        return this.#hasTimeouts(change.timeouts);
      case "start-daemon":
      case "stop-daemon": {
        const runs = this.#current.daemons?.some((daemon) =>
          daemonMatches(daemon, change.daemon),
        );
        return runs === (change.command === "start-daemon");
      }
    }
  }

  #hasTimeouts({ tcpSeconds, tcpFinSeconds, udpSeconds }: Timeouts): boolean {
    const { timeouts } = this.#current;
    const set = (desired: number, current: number) =>
      desired === 0 || desired === current;
    return (
      timeouts !== undefined &&
      set(tcpSeconds, timeouts.tcpSeconds) &&
      set(tcpFinSeconds, timeouts.tcpFinSeconds) &&
      set(udpSeconds, timeouts.udpSeconds)
    );
  }
}
