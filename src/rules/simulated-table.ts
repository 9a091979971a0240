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

/** A rule, and the line that said it last. */
interface Tracked<Key, Settings> {
  readonly key: Key;
  settings: Settings;
  line: number;
  sound: boolean;
}

interface TrackedService extends Tracked<ServiceKey, ServiceSettings> {
  readonly servers: Map<string, Tracked<ServerKey, ServerSettings>>;
  /** Whether a line that is about its servers is at fault */
  incomplete: boolean;
}

/** Why a command is refused. */
export interface Refused extends Finding {
  /** The service that there is none of, or not yet */
  readonly missing?: string;
}

/** What command lines made of an empty table. */
export interface SimulationResult {
  readonly table: Table;
  /** Which line, counted from 1, said each rule last */
  readonly lines: ReadonlyMap<Rule, number>;
  readonly invalid: ReadonlySet<Rule>;
  readonly incomplete: ReadonlySet<Rule>;
}

/** A table in memory that does with commands what the kernel does, as far as every kernel does it alike. */
export class SimulatedTable {
  readonly #services = new Map<string, TrackedService>();
  readonly #daemons = new Map<number, { daemon: Daemon; line: number }>();
  #daemonsSpokenOf = false;
  #timeouts: { timeouts: Timeouts; line: number } | undefined;

  /**
   * Carries out a command.
   *
   * @param line on which it stands
   * @returns why the kernel refuses it; undefined if it does not
   */
  carryOut(command: Change, line: number): Refused | undefined {
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
        this.#daemonsSpokenOf = true;
        return this.#daemons.delete(command.daemon.state)
          ? undefined
          : {
              id: "no-daemon",
              fault: "no such sync daemon has been started before",
              advice: "leave the line out, or start the daemon first",
            };
    }
  }

  /** The line that said a service last, by its selector; undefined if there is none. */
  lineOf(selector: string): number | undefined {
    return this.#services.get(selector)?.line;
  }

  /** A service of which no more is known than that its line is at fault: its real servers are not to be. */
  addPlaceholder(key: ServiceKey, line: number): void {
    const selector = formatSelector(key);
    const known = this.#services.get(selector);
    if (known) known.sound = false;
    else
      this.#services.set(selector, {
        key,
        settings: serviceSettings(key),
        line,
        sound: false,
        servers: new Map(),
        incomplete: true,
      });
  }

  /** Takes note that a line about a service's servers is at fault, if there is such a service. */
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
  ): Refused | undefined {
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
      sound: true,
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
  ): Refused | undefined {
    const servers = this.#service(service)?.servers;
    if (!servers) return noService(service);
    const name = formatEndpoint(key.address, key.port);
    const known = servers.get(name);
    if (command === "add-server" && known)
      return duplicate("real server", known.line, "address");
    if (command === "edit-server" && !known) return NO_SERVER;
    const refusal = serverRefusal(service, key, settings);
    servers.set(name, { key, settings, line, sound: !refusal });
    return refusal;
  }

  #deleteServer({
    service,
    server,
  }: Extract<Change, { command: "delete-server" }>): Refused | undefined {
    const servers = this.#service(service)?.servers;
    if (!servers) return noService(service);
    const known = servers.delete(formatEndpoint(server.address, server.port));
    return known ? undefined : NO_SERVER;
  }

  /** 0 leaves a timeout as it is. */
  #setTimeouts(given: Timeouts, line: number): Refused | undefined {
    const before = this.#timeouts?.timeouts;
    const timeouts: Timeouts = {
      tcpSeconds: given.tcpSeconds || (before?.tcpSeconds ?? 0),
      tcpFinSeconds: given.tcpFinSeconds || (before?.tcpFinSeconds ?? 0),
      udpSeconds: given.udpSeconds || (before?.udpSeconds ?? 0),
    };
    this.#timeouts = { timeouts, line };
    return timeoutsRefusal(given);
  }

  #startDaemon(given: Daemon, line: number): Refused | undefined {
    this.#daemonsSpokenOf = true;
    const known = this.#daemons.get(given.state);
    if (known) return duplicate("sync daemon", known.line);
    this.#daemons.set(given.state, { daemon: withoutGaps(given), line });
    return daemonRefusal(given);
  }

  /** The table as it is now. */
  made(): SimulationResult {
    const lines = new Map<Rule, number>();
    const invalid = new Set<Rule>();
    const incomplete = new Set<Rule>();
    const keep = <R extends Rule>(rule: R, line: number, sound = true): R => {
      lines.set(rule, line);
      if (!sound) invalid.add(rule);
      return rule;
    };
    const services = Array.from(this.#services.values(), (service) => {
      const { key, settings, line, sound } = service;
      const servers = Array.from(service.servers.values(), (server) =>
        keep(
          { key: server.key, settings: server.settings },
          server.line,
          server.sound,
        ),
      );
      const rule = keep({ key, settings, servers }, line, sound);
      if (service.incomplete) incomplete.add(rule);
      return rule;
    });
    const daemons = Array.from(this.#daemons.values(), ({ daemon, line }) =>
      keep(daemon, line),
    );
    const set = this.#timeouts;
    const table: Table = {
      services,
      ...(set && { timeouts: keep(set.timeouts, set.line) }),
      ...(this.#daemonsSpokenOf && { daemons }),
    };
    return { table, lines, invalid, incomplete };
  }
}

function noService(key: ServiceKey): Refused {
  return {
    id: "undefined-service",
    fault: "this service has not been added before",
    part: "service",
    missing: formatSelector(key),
  };
}

const NO_SERVER: Refused = {
  id: "undefined-server",
  fault: "this real server has not been added before",
  advice: "add it first with -a, or leave the line out",
  part: "address",
};

/** A daemon without the members that nobody gave. */
function withoutGaps(daemon: Daemon): Daemon {
  return Object.fromEntries(
    Object.entries(daemon).filter(([, value]) => value !== undefined),
  ) as unknown as Daemon;
}
