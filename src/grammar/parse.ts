import { familyOf } from "../ipvs/address.js";
import {
  DIRECT_ROUTING,
  ONE_PACKET,
  PERSISTENT,
  TUNNELLING,
  UDP,
  type Daemon,
  type DestinationSettings,
} from "../ipvs/model.js";
import type {
  ClassicCommand,
  ListCommand,
  TableFormat,
  Verb,
} from "./command.js";
import { Draft } from "./draft.js";
import type { Lookups } from "./endpoint.js";
import { Given } from "./given.js";
import { UsageFault } from "./faults.js";
import { checkListing, checkOptions, checkTunnel } from "./legality.js";
import {
  COMMANDS,
  FOREIGN,
  OPTIONS,
  type CommandRow,
  type OptionRow,
} from "./options.js";
import { Scanner, Spellings } from "./scanner.js";
import { seconds, type Take } from "./values.js";

const NO_WORDS: readonly string[] = [];
const DEFAULT_SCHEDULER = "wlc";
const DEFAULT_INTERFACE = "eth0";

const SPELLINGS = new Spellings<CommandRow | OptionRow>(
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
  verb?: Verb;
  /** What the options have said */
  draft?: Draft;
  /** The option that was read last */
  row?: OptionRow;
  /** At which word an option of that name said its last, counted from 0 */
  readonly where: Map<string, number>;
}

/**
 * Reads one command line of the classic language. The first fault from left to right counts; how the
 * options go together is looked at when all are read.
 *
 * @param words the line without the program's name, one character a byte
 * @param notes is filled as the line is read, for those who speak about the line
 * @throws {UsageFault} with the original's sentence
 * @throws {UnresolvedHost} when a host's address must be found out first
 */
export function parse(
  words: readonly string[],
  lookups: Lookups,
  notes?: Notes,
): ClassicCommand {
  const scanner = new Scanner(words, SPELLINGS);
  const draft = new Draft(lookups);
  const command = readCommand(scanner, draft);
  if (notes) {
    notes.verb = command.verb;
    notes.draft = draft;
  }
  if (command.verb === "help" || command.verb === "version")
    return { command: command.verb }; // what follows is not looked at
  const { given, late } = readOptions(scanner, draft, notes);
  const own =
    command.words || scanner.free.length > 0
      ? ownWords(command, scanner, draft, words)
      : NO_WORDS;
  for (const { row, text, position } of late)
    take({ ...row, take: row.takeLast }, draft, text, position);
  checkOptions(command.verb, given);
  return commandOf(command.verb, draft, given, own);
}

function readCommand(
  scanner: Scanner<CommandRow | OptionRow>,
  draft: Draft,
): CommandRow {
  const found = firstOption(scanner);
  if (!found || !("verb" in found.row))
    throw new UsageFault("not-a-command", "");
  const { row, value = "" } = found;
  take(row, draft, value, scanner.position);
  return row;
}

/** A fault before there is a command is not told apart. */
function firstOption(scanner: Scanner<CommandRow | OptionRow>) {
  try {
    return scanner.next();
  } catch (error) {
    if (error instanceof UsageFault) throw new UsageFault("not-a-command", "");
    throw error;
  }
}

/** An option whose value is looked at when the whole line has been read. */
interface Late {
  readonly row: OptionRow;
  readonly text: string;
  readonly position: number;
}

function readOptions(
  scanner: Scanner<CommandRow | OptionRow>,
  draft: Draft,
  notes: Notes | undefined,
): { given: Given; late: readonly Late[] } {
  const given = new Given();
  const late: Late[] = [];
  for (let found; (found = scanner.next());) {
    const { row, value } = found;
    const { position } = scanner;
    if ("verb" in row)
      throw new UsageFault(
        "value",
        `invalid option \`${scanner.word}'`,
        position,
      );
    if (row.option !== undefined) {
      if (given.has(row.option))
        throw new UsageFault(
          "value",
          `multiple '${row.option}' options specified`,
          position,
        );
      given.add(row.option);
      notes?.where.set(row.option, position);
    }
    if (notes) notes.row = row;
    const text = value ?? row.fallback ?? "";
    take(row, draft, text, position);
    if (row.takeLast) late.push({ row, text, position });
  }
  return { given, late };
}

/** Takes a value in. @throws {UsageFault} that says at which word it was met */
function take(
  row: {
    readonly take?: Take | undefined;
    readonly option?: string | undefined;
  },
  draft: Draft,
  value: string,
  position: number,
): void {
  try {
    row.take?.(draft, value);
  } catch (error) {
    throw error instanceof UsageFault
      ? new UsageFault(error.kind, error.sentence, position, row.option)
      : error;
  }
}

/** The words that belong to the command itself, all of which must be there; no other word may be. */
function ownWords(
  { words: count = 0 }: CommandRow,
  scanner: Scanner<CommandRow | OptionRow>,
  draft: Draft,
  words: readonly string[],
): readonly string[] {
  const own = scanner.free.slice(0, count).map((at) => words[at] ?? "");
  if (own.length < count)
    throw new UsageFault("value", "--set option requires 3 timeout values");
  for (const [i, text] of own.entries())
    take({ take: () => seconds(text, 0) }, draft, text, scanner.free[i] ?? 0);
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
  verb: Exclude<CommandRow["verb"], "help" | "version">,
  draft: Draft,
  given: Given,
  own: readonly string[],
): ClassicCommand {
  switch (verb) {
    case "add-service":
    case "edit-service":
      return serviceCommand(verb, draft);
    case "delete-service":
      return { command: verb, service: draft.service };
    case "add-server":
    case "edit-server":
      return serverCommand(verb, draft, given);
    case "delete-server":
      return {
        command: verb,
        service: draft.service,
        server: serverKey(draft),
      };
    case "list":
      return listCommand(draft, given);
    case "zero":
      return {
        command: verb,
        service: given.has("service-address") ? draft.service : undefined,
      };
    case "set": {
      const [tcpSeconds, tcpFinSeconds, udpSeconds] = own.map((text) =>
        seconds(text, 0),
      );
      return {
        command: verb,
        timeouts: {
          tcpSeconds: tcpSeconds ?? 0,
          tcpFinSeconds: tcpFinSeconds ?? 0,
          udpSeconds: udpSeconds ?? 0,
        },
      };
    }
    case "start-daemon":
      return {
        command: verb,
        daemon: daemon(draft, draft.multicastInterface || DEFAULT_INTERFACE),
      };
    case "stop-daemon":
      return { command: verb, daemon: daemon(draft, "") };
    case "save":
      return { command: verb, numeric: given.has("numeric") };
    case "flush":
    case "restore":
      return { command: verb };
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
  given: Given,
): ClassicCommand {
  const { service, forwarding = DIRECT_ROUTING } = draft;
  if (
    familyOf(draft.serverAddress) !== service.family &&
    forwarding !== TUNNELLING
  )
    throw new UsageFault(
      "combination",
      "Different address family is allowed only for tunneling servers",
      undefined,
      "real-server",
    );
  checkTunnel(given, forwarding, draft.tunnel.type);
  // Packets reach such a server as they came, so it must listen on the service's own port.
  const keepsPort = forwarding === DIRECT_ROUTING || forwarding === TUNNELLING;
  if (keepsPort && !("firewallMark" in service))
    draft.serverPort = service.port;
  const settings: DestinationSettings = {
    forwarding,
    weight: draft.weight,
    tunnel: draft.tunnel,
    upperThreshold: draft.upperThreshold,
    lowerThreshold: draft.lowerThreshold,
  };
  return { command, service, server: serverKey(draft), settings };
}

function listCommand(draft: Draft, given: Given): ListCommand {
  checkListing(given);
  return {
    command: "list",
    what: given.has("connection")
      ? "connections"
      : given.has("timeout")
        ? "timeouts"
        : given.has("daemon")
          ? "daemons"
          : "table",
    service: given.has("service-address") ? draft.service : undefined,
    format: FORMATS.find((format) => given.has(format)) ?? "plain",
    numeric: given.has("numeric"),
    exact: given.has("exact"),
    sorted: !given.has("nosort"),
    persistenceData: given.has("persistent-conn"),
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
