import { familyOf } from "../ipvs/address.js";
import {
  DIRECT_ROUTING,
  ONE_PACKET,
  PERSISTENT,
  TUNNELING,
  UDP,
  type Daemon,
  type ServerSettings,
} from "../ipvs/model.js";
import type {
  ClassicCommand,
  ListCommand,
  TableFormat,
  CommandName,
} from "./command.js";
import { Draft } from "./draft.js";
import type { Lookups } from "./endpoint.js";
import { UsageFault } from "./usage-errors.js";
import { checkListing, checkOptions, checkTunnel } from "./legality.js";
import {
  COMMANDS,
  FOREIGN,
  OPTIONS,
  type ClassicCommandSpec,
  type ClassicOption,
} from "./options.js";
import { Scanner, Spellings } from "./scanner.js";
import { seconds, type Take } from "./values.js";

const NO_WORDS: readonly string[] = [];
const DEFAULT_SCHEDULER = "wlc";
const DEFAULT_INTERFACE = "eth0";

const SPELLINGS = new Spellings<ClassicCommandSpec | ClassicOption>(
  [...COMMANDS, ...OPTIONS],
  FOREIGN,
);

/** In the order of precedence. */
const FORMATS = [
  "stats",
  "rate",
  "thresholds",
  "persistent-conn",
  "tun-info",
] as const satisfies TableFormat[];

/** What a line has said so far, also of a line that turns out to be at fault. */
export interface Notes {
  /** The command */
  commandName?: CommandName;
  /** What the options have said */
  draft?: Draft;
  /** The option that was read last */
  row?: ClassicOption;
  /** At which word an option of that name said its last, counted from 0 */
  readonly where: Map<string, number>;
}

/**
 * Reads one command line of the classic language: {@link Parser.read} for those who have but a few.
 *
 * @throws {UsageFault} with the original's sentence
 * @throws {UnresolvedHost} when a host's address must be found out first
 */
export function parse(
  words: readonly string[],
  lookups: Lookups,
  notes?: Notes,
): ClassicCommand {
  return new Parser(lookups).read(words, notes);
}

/** Reads the command lines of the classic language, of which there may be very many, with the same tools. */
export class Parser {
  readonly #scanner = new Scanner([], SPELLINGS);
  readonly #draft: Draft;
  /** The names of the options of the line */
  readonly #given: string[] = [];

  constructor(lookups: Lookups) {
    this.#draft = new Draft(lookups);
  }

  /**
   * Reads one command line. The first fault from left to right counts; how the options go together is looked
   * at when all are read.
   *
   * @param words the line without the program's name, one character a byte
   * @param notes is filled as the line is read, for those who speak about the line; the draft is good until the next
   * @throws {UsageFault} with the original's sentence
   * @throws {UnresolvedHost} when a host's address must be found out first
   */
  read(words: readonly string[], notes?: Notes): ClassicCommand {
    const scanner = this.#scanner;
    const draft = this.#draft;
    const given = this.#given;
    scanner.load(words);
    draft.clear();
    given.length = 0;
    const command = readCommand(scanner, draft);
    if (notes) {
      notes.commandName = command.commandName;
      notes.draft = draft;
    }
    if (command.commandName === "help" || command.commandName === "version")
      return { command: command.commandName }; // what follows is not looked at
    const late = readOptions(scanner, draft, given, notes);
    const own =
      command.words || scanner.free.length > 0
        ? ownWords(command, scanner, draft, words)
        : NO_WORDS;
    if (late)
      take(late.row.takeLast, draft, late.text, late.position, late.row.option);
    checkOptions(command.commandName, given);
    return commandOf(command.commandName, draft, given, own);
  }
}

function readCommand(
  scanner: Scanner<ClassicCommandSpec | ClassicOption>,
  draft: Draft,
): ClassicCommandSpec {
  const row = firstOption(scanner);
  if (!row || !("commandName" in row))
    throw new UsageFault("not-a-command", "");
  take(row.take, draft, scanner.value ?? "", scanner.position);
  return row;
}

/** A fault before there is a command is not told apart. */
function firstOption(scanner: Scanner<ClassicCommandSpec | ClassicOption>) {
  try {
    return scanner.next();
  } catch (error) {
    if (error instanceof UsageFault) throw new UsageFault("not-a-command", "");
    throw error;
  }
}

/** An option whose value is looked at when the whole line has been read. */
interface Late {
  readonly row: ClassicOption;
  readonly text: string;
  readonly position: number;
}

/** @returns the option whose value is looked at last, if it is there */
function readOptions(
  scanner: Scanner<ClassicCommandSpec | ClassicOption>,
  draft: Draft,
  given: string[],
  notes: Notes | undefined,
): Late | undefined {
  let late: Late | undefined;
  for (let row; (row = scanner.next());) {
    const { position } = scanner;
    if ("commandName" in row)
      throw new UsageFault(
        "value",
        `invalid option \`${scanner.word}'`,
        position,
      );
    if (row.option !== undefined) {
      if (given.includes(row.option))
        throw new UsageFault(
          "value",
          `multiple '${row.option}' options specified`,
          position,
        );
      given.push(row.option);
      notes?.where.set(row.option, position);
    }
    if (notes) notes.row = row;
    const text = scanner.value ?? row.fallback ?? "";
    take(row.take, draft, text, position, row.option);
    if (row.takeLast) late = { row, text, position };
  }
  return late;
}

/** Takes a value in, if there is a way. @throws {UsageFault} that says at which word it was met */
function take(
  way: Take | undefined,
  draft: Draft,
  value: string,
  position: number,
  option?: string,
): void {
  try {
    way?.(draft, value);
  } catch (error) {
    throw error instanceof UsageFault
      ? new UsageFault(error.kind, error.sentence, position, option)
      : error;
  }
}

/** The words that belong to the command itself, all of which must be there; no other word may be. */
function ownWords(
  { words: count = 0 }: ClassicCommandSpec,
  scanner: Scanner<ClassicCommandSpec | ClassicOption>,
  draft: Draft,
  words: readonly string[],
): readonly string[] {
  const own = scanner.free.slice(0, count).map((at) => words[at] ?? "");
  if (own.length < count)
    throw new UsageFault("value", "--set option requires 3 timeout values");
  for (const [i, text] of own.entries())
    take(() => seconds(text, 0), draft, text, scanner.free[i] ?? 0);
  const [extra] = scanner.free.slice(count);
  if (extra !== undefined)
    throw new UsageFault(
      "value",
      `unexpected argument ${words[extra] ?? ""}`,
      extra,
    );
  return own;
}

function commandOf(
  commandName: Exclude<ClassicCommandSpec["commandName"], "help" | "version">,
  draft: Draft,
  given: readonly string[],
  own: readonly string[],
): ClassicCommand {
  switch (commandName) {
    case "add-service":
    case "edit-service":
      return serviceCommand(commandName, draft);
    case "delete-service":
      return { command: commandName, service: draft.service };
    case "add-server":
    case "edit-server":
      return serverCommand(commandName, draft, given);
    case "delete-server":
      return {
        command: commandName,
        service: draft.service,
        server: serverKey(draft),
      };
    case "list":
      return listCommand(draft, given);
    case "zero":
      return {
        command: commandName,
        service: given.includes("service-address") ? draft.service : undefined,
      };
    case "set": {
      const [tcpSeconds, tcpFinSeconds, udpSeconds] = own.map((text) =>
        seconds(text, 0),
      );
      return {
        command: commandName,
        timeouts: {
          tcpSeconds: tcpSeconds ?? 0,
          tcpFinSeconds: tcpFinSeconds ?? 0,
          udpSeconds: udpSeconds ?? 0,
        },
      };
    }
    case "start-daemon":
      return {
        command: commandName,
        daemon: daemon(draft, draft.multicastInterface || DEFAULT_INTERFACE),
      };
    case "stop-daemon":
      return { command: commandName, daemon: daemon(draft, "") };
    case "save":
      return { command: commandName, numeric: given.includes("numeric") };
    case "flush":
    case "restore":
      return { command: commandName };
  }
}

function serviceCommand(
  command: "add-service" | "edit-service",
  draft: Draft,
): ClassicCommand {
  const { service, flags } = draft;
  const marked = "firewallMark" in service;
  if (!marked && service.port === 0 && !(flags & PERSISTENT))
    throw new UsageFault(
      "combination",
      "Zero port specified for non-persistent service",
      undefined,
      "service-address",
    );
  if (flags & ONE_PACKET && !marked && service.protocol !== UDP)
    throw new UsageFault(
      "combination",
      "One-Packet Scheduling is only for UDP virtual services",
      undefined,
      "ops",
    );
  return {
    command,
    service,
    settings: {
      scheduler: draft.scheduler || DEFAULT_SCHEDULER,
      ...(draft.persistenceEngine && {
        persistenceEngine: draft.persistenceEngine,
      }),
      flags,
      timeoutSeconds: draft.timeoutSeconds,
      netmask: draft.netmask,
    },
  };
}

function serverKey(draft: Draft) {
  return { address: draft.serverAddress, port: draft.serverPort };
}

function serverCommand(
  command: "add-server" | "edit-server",
  draft: Draft,
  given: readonly string[],
): ClassicCommand {
  const { service, forwarding = DIRECT_ROUTING } = draft;
  if (
    familyOf(draft.serverAddress) !== service.family &&
    forwarding !== TUNNELING
  )
    throw new UsageFault(
      "combination",
      "Different address family is allowed only for tunneling servers",
      undefined,
      "real-server",
    );
  checkTunnel(given, forwarding, draft.tunnel.type);
  // Packets reach such a server as they came, so it must listen on the service's own port.
  const keepsPort = forwarding === DIRECT_ROUTING || forwarding === TUNNELING;
  if (keepsPort && !("firewallMark" in service))
    draft.serverPort = service.port;
  const settings: ServerSettings = {
    forwarding,
    weight: draft.weight,
    tunnel: draft.tunnel,
    upperThreshold: draft.upperThreshold,
    lowerThreshold: draft.lowerThreshold,
  };
  return { command, service, server: serverKey(draft), settings };
}

function listCommand(draft: Draft, given: readonly string[]): ListCommand {
  checkListing(given);
  return {
    command: "list",
    what: given.includes("connection")
      ? "connections"
      : given.includes("timeout")
        ? "timeouts"
        : given.includes("daemon")
          ? "daemons"
          : "table",
    service: given.includes("service-address") ? draft.service : undefined,
    format: FORMATS.find((format) => given.includes(format)) ?? "plain",
    numeric: given.includes("numeric"),
    exact: given.includes("exact"),
    sorted: !given.includes("nosort"),
    persistenceData: given.includes("persistent-conn"),
  };
}

function daemon(draft: Draft, multicastInterface: string): Daemon {
  return {
    state: draft.daemonState,
    multicastInterface,
    syncId: draft.syncId,
    maximumLength: draft.maximumLength,
    multicastGroup: draft.multicastGroup,
    multicastPort: draft.multicastPort,
    multicastTtl: draft.multicastTtl,
  };
}
