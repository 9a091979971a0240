import { familyOf } from "../../src/ipvs/address.js";
import type { Change } from "../../src/ipvs/change.js";
import type { CurrentState } from "../../src/plan/current-state.js";
import {
  formatEndpoint,
  formatService,
  HASHED,
  type Daemon,
  type ServerKey,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
  type Timeouts,
} from "../../src/ipvs/model.js";
import {
  EEXIST,
  EINVAL,
  ENOENT,
  ERANGE,
  ESRCH,
} from "../../src/netlink/errno.js";
import { stats } from "../fixtures/entries.js";

interface ModelService {
  readonly key: ServiceKey;
  settings: ServiceSettings;
  /** Newest first */
  servers: { readonly key: ServerKey; settings: ServerSettings }[];
}

/**
 * A model of the kernel's IPVS table after linux/ip_vs.h and net/netfilter/ipvs/ip_vs_ctl.c: what a change stores, and
 * which changes are refused.
 */
export class ModelKernel {
  readonly #services = new Map<string, ModelService>();
  readonly #daemons = new Map<number, Daemon>();
  #timeouts: Timeouts;

  constructor({
    services,
    timeouts = { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 },
    daemons = [],
  }: CurrentState) {
    this.#timeouts = timeouts;
    for (const daemon of daemons) this.#daemons.set(daemon.state, daemon);
    for (const { key, settings, servers } of services)
      this.#services.set(formatService(key), {
        key,
        settings: { ...settings, flags: settings.flags | HASHED },
        servers: servers.map(({ key, settings }) => ({ key, settings })),
      });
  }

  /** @returns the errno of a refusal; undefined if the change was made */
  apply(change: Change): number | undefined {
    switch (change.command) {
      case "add-service":
      case "edit-service":
      case "delete-service":
        return this.#changeService(change);
      case "add-server":
      case "edit-server":
      case "delete-server":
        return this.#changeServer(change);
      case "flush":
        this.#services.clear();
        return undefined;
      case "zero":
        return undefined;
      case "set":
        this.#set(change.timeouts);
        return undefined;
      case "start-daemon":
      case "stop-daemon":
        return this.#changeDaemon(change);
    }
  }

  #changeService(
    change: Extract<
      Change,
      { command: "add-service" | "edit-service" | "delete-service" }
    >,
  ): number | undefined {
    const name = formatService(change.service);
    const service = this.#services.get(name);
    if (change.command === "add-service") {
      if (service) return EEXIST;
      this.#services.set(name, {
        key: change.service,
        settings: withHashed(change.settings),
        servers: [],
      });
      return undefined;
    }
    if (!service) return ESRCH;
    if (change.command === "delete-service") this.#services.delete(name);
    else service.settings = withHashed(change.settings);
    return undefined;
  }

  #changeServer(
    change: Extract<
      Change,
      { command: "add-server" | "edit-server" | "delete-server" }
    >,
  ): number | undefined {
    const service = this.#services.get(formatService(change.service));
    if (!service) return ESRCH;
    const name = serverId(change.server);
    const server = service.servers.find(({ key }) => serverId(key) === name);
    if (change.command === "delete-server") {
      if (!server) return ENOENT;
      service.servers = service.servers.filter((one) => one !== server);
      return undefined;
    }
    const { weight, lowerThreshold, upperThreshold } = change.settings;
    if (weight < 0 || lowerThreshold > upperThreshold) return ERANGE;
    if (change.command === "edit-server") {
      if (!server) return ENOENT;
      server.settings = change.settings;
      return undefined;
    }
    if (server) return EEXIST;
    const mixed = familyOf(change.server.address) !== service.key.family;
    if (mixed && this.#daemons.size > 0) return EINVAL;
    service.servers.unshift({ key: change.server, settings: change.settings });
    return undefined;
  }

  #set({ tcpSeconds, tcpFinSeconds, udpSeconds }: Timeouts): void {
    const before = this.#timeouts;
    this.#timeouts = {
      tcpSeconds: tcpSeconds === 0 ? before.tcpSeconds : tcpSeconds,
      tcpFinSeconds: tcpFinSeconds === 0 ? before.tcpFinSeconds : tcpFinSeconds,
      udpSeconds: udpSeconds === 0 ? before.udpSeconds : udpSeconds,
    };
  }

  #changeDaemon(
    change: Extract<Change, { command: "start-daemon" | "stop-daemon" }>,
  ): number | undefined {
    const { state } = change.daemon;
    if (change.command === "stop-daemon")
      return this.#daemons.delete(state) ? undefined : ESRCH;
    if (this.#daemons.has(state)) return EEXIST;
    const mixed = [...this.#services.values()].some(({ key, servers }) =>
      servers.some((one) => familyOf(one.key.address) !== key.family),
    );
    if (mixed) return EINVAL;
    this.#daemons.set(state, change.daemon);
    return undefined;
  }

  /** What the kernel would report for GET_SERVICE and the other requests. */
  get current(): Required<CurrentState> {
    return {
      services: [...this.#services.values()].map(
        ({ key, settings, servers }) => ({
          key,
          settings,
          stats: stats(),
          servers: servers.map((server) => ({
            ...server,
            activeConnections: 0,
            inactiveConnections: 0,
            persistentConnections: 0,
            stats: stats(),
          })),
        }),
      ),
      timeouts: this.#timeouts,
      daemons: [...this.#daemons.values()],
    };
  }

  /** All settings as sorted text, for comparison. */
  get state(): string {
    const { services, timeouts, daemons } = this.current;
    const rows = services.flatMap(({ key, settings, servers }) => [
      `${formatService(key)} ${JSON.stringify(settings)}`,
      ...servers.map(
        (one) =>
          `${formatService(key)} ${serverId(one.key)} ${JSON.stringify(one.settings)}`,
      ),
    ]);
    const rest = [timeouts, ...daemons].map((one) => JSON.stringify(one));
    return [...rows, ...rest].sort().join("\n");
  }
}

function withHashed(settings: ServiceSettings): ServiceSettings {
  return { ...settings, flags: settings.flags | HASHED };
}

function serverId({ address, port }: ServerKey): string {
  return formatEndpoint(address, port);
}
