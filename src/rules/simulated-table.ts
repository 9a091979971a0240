import { formatSelector } from "../grammar/selector.js";
import type { Change } from "../ipvs/client.js";
import { serviceSettings } from "../ipvs/defaults.js";
import {
  formatEndpoint,
  type Daemon,
  type ServerKey,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
  type Timeouts,
} from "../ipvs/model.js";
import type { Table } from "../ipvs/table.js";
import type { Rule } from "./rule-file.js";
import type { Finding } from "./finding-positions.js";
import {
  daemonRefusal,
  serverRefusal,
  timeoutsRefusal,
} from "./kernel-refusals.js";
import { duplicate } from "./table-errors.js";

/** A service or server, with the last line that set it. */
interface Tracked<Key, Settings> {
  readonly key: Key;
  settings: Settings;
  line: number;
  valid: boolean;
}

interface TrackedService extends Tracked<ServiceKey, ServiceSettings> {
  readonly servers: Map<string, Tracked<ServerKey, ServerSettings>>;
  /** Whether a line about one of its servers has an error */
  incomplete: boolean;
}

/** Why a command is refused. */
export interface CommandRefusal extends Finding {
  /** The selector of a service that does not exist (yet) */
  readonly missing?: string;
}

/** The table after all commands. */
export interface SimulationResult {
  readonly table: Table;
  /** The last line that set each rule, counted from 1 */
  readonly lines: ReadonlyMap<Rule, number>;
  readonly invalid: ReadonlySet<Rule>;
  readonly incomplete: ReadonlySet<Rule>;
}

/** Simulates the effect of commands on an empty table, as far as all kernels behave the same. */
export class SimulatedTable {
  readonly #services = new Map<string, TrackedService>();
  readonly #daemons = new Map<number, { daemon: Daemon; line: number }>();
  /** Whether there was any command for sync daemons */
  #setsDaemons = false;
  #timeouts: { timeouts: Timeouts; line: number } | undefined;

  /** Whether there is a service now. */
  get hasServices(): boolean {
    return this.#services.size > 0;
  }

  /**
   * Applies a command.
   *
   * @param line the number of its line
   * @returns why the kernel refuses it; undefined if it accepts it
   */
  apply(command: Change, line: number): CommandRefusal | undefined {
    switch (command.command) {
      case "add-service":
      case "edit-service":
        return this.#setService(command, line);
      case "delete-service": {
        const known = this.#services.delete(formatSelector(command.service));
        return known ? undefined : noService(command.service);
      }
      case "add-server":
      case "edit-server":
        return this.#setServer(command, line);
      case "delete-server":
        return this.#deleteServer(command);
      case "flush":
        this.#services.clear();
        return undefined;
      case "zero":
        return command.service && !this.#service(command.service)
          ? noService(command.service)
          : undefined;
      case "set":
        return this.#setTimeouts(command.timeouts, line);
      case "start-daemon":
        return this.#startDaemon(command.daemon, line);
      case "stop-daemon":
        this.#setsDaemons = true;
        return this.#daemons.delete(command.daemon.state)
          ? undefined
          : {
              id: "no-daemon",
              message: "this sync daemon is not running",
              advice: "start it on a line above, or remove this line",
            };
    }
  }

  /** The last line that set a service, by its selector; undefined if there is no such service. */
  lineOf(selector: string): number | undefined {
    return this.#services.get(selector)?.line;
  }

  /** Adds a service whose line has an error, so that its real servers are not reported as errors, too. */
  addPlaceholder(key: ServiceKey, line: number): void {
    const selector = formatSelector(key);
    const known = this.#services.get(selector);
    if (known) known.valid = false;
    else
      this.#services.set(selector, {
        key,
        settings: serviceSettings(key),
        line,
        valid: false,
        servers: new Map(),
        incomplete: true,
      });
  }

  /** Records that a line about a server of this service has an error. */
  markIncomplete(key: ServiceKey): void {
    const known = this.#service(key);
    if (known) known.incomplete = true;
  }

  #service(key: ServiceKey): TrackedService | undefined {
    return this.#services.get(formatSelector(key));
  }

  #setService(
    {
      command,
      service: key,
      settings,
    }: Extract<Change, { command: "add-service" | "edit-service" }>,
    line: number,
  ): CommandRefusal | undefined {
    const selector = formatSelector(key);
    const known = this.#services.get(selector);
    if (command === "edit-service") {
      if (!known) return noService(key);
      known.settings = settings;
      known.line = line;
      return undefined;
    }
    if (known) return duplicate("service", known.line, "service");
    this.#services.set(selector, {
      key,
      settings,
      line,
      valid: true,
      servers: new Map(),
      incomplete: false,
    });
    return undefined;
  }

  #setServer(
    {
      command,
      service,
      server: key,
      settings,
    }: Extract<Change, { command: "add-server" | "edit-server" }>,
    line: number,
  ): CommandRefusal | undefined {
    const servers = this.#service(service)?.servers;
    if (!servers) return noService(service);
    const name = formatEndpoint(key.address, key.port);
    const known = servers.get(name);
    if (command === "add-server" && known)
      return duplicate("real server", known.line, "address");
    if (command === "edit-server" && !known) return NO_SERVER;
    const refusal = serverRefusal(service, key, settings);
    servers.set(name, { key, settings, line, valid: !refusal });
    return refusal;
  }

  #deleteServer({
    service,
    server,
  }: Extract<Change, { command: "delete-server" }>):
    CommandRefusal | undefined {
    const servers = this.#service(service)?.servers;
    if (!servers) return noService(service);
    const known = servers.delete(formatEndpoint(server.address, server.port));
    return known ? undefined : NO_SERVER;
  }

  /** 0 leaves a timeout unchanged. */
  #setTimeouts(given: Timeouts, line: number): CommandRefusal | undefined {
    const before = this.#timeouts?.timeouts;
    const timeouts: Timeouts = {
      tcpSeconds: given.tcpSeconds || (before?.tcpSeconds ?? 0),
      tcpFinSeconds: given.tcpFinSeconds || (before?.tcpFinSeconds ?? 0),
      udpSeconds: given.udpSeconds || (before?.udpSeconds ?? 0),
    };
    this.#timeouts = { timeouts, line };
    return timeoutsRefusal(given);
  }

  #startDaemon(given: Daemon, line: number): CommandRefusal | undefined {
    this.#setsDaemons = true;
    const known = this.#daemons.get(given.state);
    if (known) return duplicate("sync daemon", known.line);
    this.#daemons.set(given.state, { daemon: withoutUndefined(given), line });
    return daemonRefusal(given);
  }

  /** The current table. */
  result(): SimulationResult {
    const lines = new Map<Rule, number>();
    const invalid = new Set<Rule>();
    const incomplete = new Set<Rule>();
    const record = <R extends Rule>(rule: R, line: number, valid = true): R => {
      lines.set(rule, line);
      if (!valid) invalid.add(rule);
      return rule;
    };
    const services = Array.from(this.#services.values(), (service) => {
      const { key, settings, line, valid } = service;
      const servers = Array.from(service.servers.values(), (server) =>
        record(
          { key: server.key, settings: server.settings },
          server.line,
          server.valid,
        ),
      );
      const rule = record({ key, settings, servers }, line, valid);
      if (service.incomplete) incomplete.add(rule);
      return rule;
    });
    const daemons = Array.from(this.#daemons.values(), ({ daemon, line }) =>
      record(daemon, line),
    );
    const set = this.#timeouts;
    const table: Table = {
      services,
      ...(set && { timeouts: record(set.timeouts, set.line) }),
      ...(this.#setsDaemons && { daemons }),
    };
    return { table, lines, invalid, incomplete };
  }
}

function noService(key: ServiceKey): CommandRefusal {
  return {
    id: "undefined-service",
    message: "unknown service: no line above adds it",
    part: "service",
    missing: formatSelector(key),
  };
}

const NO_SERVER: CommandRefusal = {
  id: "undefined-server",
  message: "unknown real server: no line above adds it",
  advice: "add it with -a on a line above, or remove this line",
  part: "address",
};

/** A daemon without undefined settings. */
function withoutUndefined(daemon: Daemon): Daemon {
  return Object.fromEntries(
    Object.entries(daemon).filter(([, value]) => value !== undefined),
  ) as unknown as Daemon;
}
