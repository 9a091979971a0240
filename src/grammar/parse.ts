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
import { ParsedOptions } from "./parsed-options.js";
import type { Lookups } from "./endpoint.js";
import { UsageFault } from "./usage-errors.js";
import {
  checkListing,
  checkOptions,
  checkTunnel,
} from "./option-combinations.js";
import {
  COMMANDS,
  FOREIGN_OPTIONS,
  OPTIONS,
  type ClassicCommandSpec,
  type ClassicOption,
} from "./options.js";
import { Scanner, OptionTable } from "./scanner.js";
import { seconds, type ApplyValue } from "./values.js";

const NO_WORDS: readonly string[] = [];
const DEFAULT_SCHEDULER = "wlc";
const DEFAULT_INTERFACE = "eth0";

const OPTION_TABLE = new OptionTable<ClassicCommandSpec | ClassicOption>(
  [...COMMANDS, ...OPTIONS],
  FOREIGN_OPTIONS,
);

/** In the order of precedence. */
const FORMATS = [
  "stats",
  "rate",
  "thresholds",
  "persistent-conn",
  "tun-info",
] as const satisfies TableFormat[];

/** What was parsed before an error, for error messages. */
export interface ParseNotes {
  /** The command */
  commandName?: CommandName;
  /** The values of the options */
  parsed?: ParsedOptions;
  /** The last option */
  row?: ClassicOption;
  /** The position of each option's last word, by the option's name, counted from 0 */
  readonly where: Map<string, number>;
}

/**
 * Parses a single classic command line. For many lines, use {@link Parser.read}.
 *
 * @throws {UsageFault} with the original's message
 * @throws {UnresolvedHost} if a host must be looked up first
 */
export function parse(
  words: readonly string[],
  lookups: Lookups,
  notes?: ParseNotes,
): ClassicCommand {
  return new Parser(lookups).read(words, notes);
}

/** Parses many classic command lines with the same objects. */
export class Parser {
  readonly #scanner = new Scanner([], OPTION_TABLE);
  readonly #parsed: ParsedOptions;
  /** The names of the options on the line */
  readonly #given: string[] = [];

  constructor(lookups: Lookups) {
    this.#parsed = new ParsedOptions(lookups);
  }

  /**
   * Parses one classic command line. Reports the first error from left to right. Combinations of
   * options are checked at the end.
   *
   * @param words the arguments, one character per byte
   * @param notes receives what was parsed, also in case of an error. `notes.parsed` is valid until
   *   the next line
   * @throws {UsageFault} with the original's message
   * @throws {UnresolvedHost} if a host must be looked up first
   */
  read(words: readonly string[], notes?: ParseNotes): ClassicCommand {
    const scanner = this.#scanner;
    const parsed = this.#parsed;
    const given = this.#given;
    scanner.load(words);
    parsed.clear();
    given.length = 0;
    const command = readCommand(scanner, parsed);
    if (notes) {
      notes.commandName = command.commandName;
      notes.parsed = parsed;
    }
    if (command.commandName === "help" || command.commandName === "version")
      return { command: command.commandName }; // the rest of the line is ignored
    const deferred = readOptions(scanner, parsed, given, notes);
    const own =
      command.words || scanner.free.length > 0
        ? ownWords(command, scanner, parsed, words)
        : NO_WORDS;
    if (deferred)
      applyValue(
        deferred.row.applyLast,
        parsed,
        deferred.text,
        deferred.position,
        deferred.row.option,
      );
    checkOptions(command.commandName, given);
    return commandOf(command.commandName, parsed, given, own);
  }
}

function readCommand(
  scanner: Scanner<ClassicCommandSpec | ClassicOption>,
  parsed: ParsedOptions,
): ClassicCommandSpec {
  const row = firstOption(scanner);
  if (!row || !("commandName" in row))
    throw new UsageFault("not-a-command", "");
  applyValue(row.apply, parsed, scanner.value ?? "", scanner.position);
  return row;
}

/** Any error in the first option counts as a missing command. */
function firstOption(scanner: Scanner<ClassicCommandSpec | ClassicOption>) {
  try {
    return scanner.next();
  } catch (error) {
    if (error instanceof UsageFault) throw new UsageFault("not-a-command", "");
    throw error;
  }
}

/** An option whose value is applied after all others. */
interface DeferredValue {
  readonly row: ClassicOption;
  readonly text: string;
  readonly position: number;
}

/** Applies the options of a line. @returns the option to apply last, if there is one */
function readOptions(
  scanner: Scanner<ClassicCommandSpec | ClassicOption>,
  parsed: ParsedOptions,
  given: string[],
  notes: ParseNotes | undefined,
): DeferredValue | undefined {
  let deferred: DeferredValue | undefined;
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
    applyValue(row.apply, parsed, text, position, row.option);
    if (row.applyLast) deferred = { row, text, position };
  }
  return deferred;
}

/** Applies a value. @throws {UsageFault} with the position of the word */
function applyValue(
  apply: ApplyValue | undefined,
  parsed: ParsedOptions,
  value: string,
  position: number,
  option?: string,
): void {
  try {
    apply?.(parsed, value);
  } catch (error) {
    throw error instanceof UsageFault
      ? new UsageFault(error.kind, error.sentence, position, option)
      : error;
  }
}

/** Reads the command's own arguments. All must be present; other words are errors. */
function ownWords(
  { words: count = 0 }: ClassicCommandSpec,
  scanner: Scanner<ClassicCommandSpec | ClassicOption>,
  parsed: ParsedOptions,
  words: readonly string[],
): readonly string[] {
  const own = scanner.free.slice(0, count).map((at) => words[at] ?? "");
  if (own.length < count)
    throw new UsageFault("value", "--set option requires 3 timeout values");
  for (const [i, text] of own.entries())
    applyValue(() => seconds(text, 0), parsed, text, scanner.free[i] ?? 0);
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
  parsed: ParsedOptions,
  given: readonly string[],
  own: readonly string[],
): ClassicCommand {
  switch (commandName) {
    case "add-service":
    case "edit-service":
      return serviceCommand(commandName, parsed);
    case "delete-service":
      return { command: commandName, service: parsed.service };
    case "add-server":
    case "edit-server":
      return serverCommand(commandName, parsed, given);
    case "delete-server":
      return {
        command: commandName,
        service: parsed.service,
        server: serverKey(parsed),
      };
    case "list":
      return listCommand(parsed, given);
    case "zero":
      return {
        command: commandName,
        service: given.includes("service-address") ? parsed.service : undefined,
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
        daemon: daemon(parsed, parsed.multicastInterface || DEFAULT_INTERFACE),
      };
    case "stop-daemon":
      return { command: commandName, daemon: daemon(parsed, "") };
    case "save":
      return { command: commandName, numeric: given.includes("numeric") };
    case "flush":
    case "restore":
      return { command: commandName };
  }
}

function serviceCommand(
  command: "add-service" | "edit-service",
  parsed: ParsedOptions,
): ClassicCommand {
  const { service, flags } = parsed;
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
      scheduler: parsed.scheduler || DEFAULT_SCHEDULER,
      ...(parsed.persistenceEngine && {
        persistenceEngine: parsed.persistenceEngine,
      }),
      flags,
      timeoutSeconds: parsed.timeoutSeconds,
      netmask: parsed.netmask,
    },
  };
}

function serverKey(parsed: ParsedOptions) {
  return { address: parsed.serverAddress, port: parsed.serverPort };
}

function serverCommand(
  command: "add-server" | "edit-server",
  parsed: ParsedOptions,
  given: readonly string[],
): ClassicCommand {
  const { service, forwarding = DIRECT_ROUTING } = parsed;
  if (
    familyOf(parsed.serverAddress) !== service.family &&
    forwarding !== TUNNELING
  )
    throw new UsageFault(
      "combination",
      "Different address family is allowed only for tunneling servers",
      undefined,
      "real-server",
    );
  checkTunnel(given, forwarding, parsed.tunnel.type);
  // These methods do not change the port, so the server must listen on the service's port.
  const keepsPort = forwarding === DIRECT_ROUTING || forwarding === TUNNELING;
  if (keepsPort && !("firewallMark" in service))
    parsed.serverPort = service.port;
  const settings: ServerSettings = {
    forwarding,
    weight: parsed.weight,
    tunnel: parsed.tunnel,
    upperThreshold: parsed.upperThreshold,
    lowerThreshold: parsed.lowerThreshold,
  };
  return { command, service, server: serverKey(parsed), settings };
}

function listCommand(
  parsed: ParsedOptions,
  given: readonly string[],
): ListCommand {
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
    service: given.includes("service-address") ? parsed.service : undefined,
    format: FORMATS.find((format) => given.includes(format)) ?? "plain",
    numeric: given.includes("numeric"),
    exact: given.includes("exact"),
    sorted: !given.includes("nosort"),
    persistenceData: given.includes("persistent-conn"),
  };
}

function daemon(parsed: ParsedOptions, multicastInterface: string): Daemon {
  return {
    state: parsed.daemonState,
    multicastInterface,
    syncId: parsed.syncId,
    maximumLength: parsed.maximumLength,
    multicastGroup: parsed.multicastGroup,
    multicastPort: parsed.multicastPort,
    multicastTtl: parsed.multicastTtl,
  };
}
