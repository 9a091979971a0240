import { takesConnections } from "../../ipvs/state.js";
import type { Io } from "../../runtime/io.js";
import type { Clock } from "./clock.js";
import { ChangeLog } from "./change-log.js";
import type { Row } from "./rows.js";
import {
  isPresent,
  type WatchedServer,
  type WatchedService,
} from "./sampler.js";
import {
  drainCommand,
  runServerCommand,
  undrainCommand,
  weightCommand,
  type ServerCommand,
} from "./server-commands.js";

/** The greatest weight that the kernel accepts. */
const MAXIMUM_WEIGHT = 2_147_483_647;

interface Target {
  readonly service: WatchedService;
  readonly server: WatchedServer;
}

/** What has to happen before a command runs: the user confirms it, or types a weight. `nothing`: the log says why none runs. */
export type Asked = "confirmation" | "weight" | "nothing";

/** Changes real servers for the user: asks, runs one command at a time, and logs it. */
export class ServerChanges {
  readonly log = new ChangeLog();
  readonly #io: Io;
  readonly #clock: Pick<Clock, "date">;
  /** Is called when a command has ended. */
  readonly #ended: () => void;
  #target: Target | undefined;
  #command: ServerCommand | undefined;
  #running: Promise<void> | undefined;

  constructor(io: Io, clock: Pick<Clock, "date">, ended: () => void) {
    this.#io = io;
    this.#clock = clock;
    this.#ended = ended;
  }

  /** The name of the server that is asked about. */
  get subject(): string {
    return this.#target?.server.name ?? "";
  }

  /** The command that waits for a confirmation, and what it leads to. */
  get question(): string[] | undefined {
    if (!this.#command || !this.#target) return undefined;
    return [
      `Run '${this.#command.line}'?`,
      ...notesFor(this.#target, this.#command),
    ];
  }

  /** Starts a change of the server of a row. */
  ask(change: "drain" | "undrain" | "weight", row: Row | undefined): Asked {
    const target = this.#targetOf(row);
    if (typeof target === "string") return this.#say(target);
    this.#target = target;
    const { service, server } = target;
    const { weight } = server.entry.settings;
    switch (change) {
      case "weight":
        return "weight";
      case "drain":
        if (weight === 0) return this.#say(`${server.name} is already drained`);
        return this.#propose(drainCommand(service.entry.key, server.entry));
      case "undrain":
        if (weight !== 0)
          return this.#say(
            `${server.name} is not drained: its weight is ${weight}`,
          );
        return this.#propose(undrainCommand(service.entry.key, server.entry));
    }
  }

  /** Goes on with the weight that the user typed. */
  setWeight(text: string): Asked {
    if (!this.#target) return "nothing";
    const { service, server } = this.#target;
    const weight = Number(text);
    if (weight > MAXIMUM_WEIGHT)
      return this.#say(`the greatest weight is ${MAXIMUM_WEIGHT}`);
    if (weight === server.entry.settings.weight)
      return this.#say(`${server.name} already has weight ${weight}`);
    return this.#propose(
      weightCommand(service.entry.key, server.entry, weight),
    );
  }

  /** Runs the command. */
  async confirm(): Promise<void> {
    const command = this.#command;
    if (!command) return;
    this.#command = undefined;
    this.log.say(`running '${command.line}'`);
    this.#running = this.#run(command);
    await this.#running;
  }

  cancel(): void {
    this.#command = undefined;
    this.log.say("canceled; nothing was changed");
  }

  /** Waits for the command that is running, if any. */
  async finish(): Promise<void> {
    try {
      await this.#running;
    } catch {
      // confirm() throws it, too.
    }
  }

  async #run(command: ServerCommand): Promise<void> {
    try {
      const result = await runServerCommand(command, this.#io);
      this.log.add(this.#clock.date(), command, result);
    } finally {
      this.#running = undefined;
      this.#ended();
    }
  }

  #propose(command: ServerCommand): Asked {
    this.#command = command;
    return "confirmation";
  }

  /** The server to change, or why it cannot be changed. */
  #targetOf(row: Row | undefined): Target | string {
    if (this.#running) return "a command is still running";
    if (!row) return "select a real server first: ↓ or j";
    const { service, server } = row;
    if (!server) return `select a real server of ${service.name} first`;
    if (!isPresent(server) || !isPresent(service))
      return `${server.name} is not in the table any more`;
    if (!this.#io.mayAdministerNetworks())
      return "changing the table needs CAP_NET_ADMIN: run it as root";
    return { service, server };
  }

  #say(text: string): Asked {
    this.log.say(text, "warning");
    return "nothing";
  }
}

/** What else the user should know before the command runs. */
function notesFor(
  { service, server }: Target,
  { subcommand }: ServerCommand,
): string[] {
  if (subcommand !== "drain") return [];
  const others = service.servers.some(
    (one) => one !== server && isPresent(one) && takesConnections(one.state),
  );
  return others
    ? []
    : [
        `No other real server of ${service.name} accepts new connections: clients will be refused.`,
      ];
}
