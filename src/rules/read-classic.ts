import { parseIpv4Loosely } from "../grammar/endpoint.js";
import { UnresolvedHost, UsageFault } from "../grammar/usage-errors.js";
import { ruleWords } from "../grammar/rule-words.js";
import type { ClassicCommand } from "../grammar/command.js";
import { Parser, type ParseNotes } from "../grammar/parse.js";
import { formatAddress, INET6, parseIpv4 } from "../ipvs/address.js";
import type { Change } from "../ipvs/client.js";
import { PERSISTENT, type ServiceKey } from "../ipvs/model.js";
import { ClassicTable, type MadeTable, type Refused } from "./classic-table.js";
import { explainFault } from "./usage-errors.js";
import type { Part, Place, Rule, RuleFault, RuleFile } from "./file.js";
import { Hosts } from "./host-lookup.js";
import { decoded } from "./lines.js";
import { byPlace, type Remark } from "./place-findings.js";
import type { RuleNames } from "./rule-names.js";
import { portIgnored } from "./ignored-port.js";
import { unsynchronized } from "./table-refusals.js";

/** Which option of a command line says a part of a rule. */
const OPTIONS: Readonly<Record<Exclude<Part, "address" | "port">, string>> = {
  service: "service-address",
  scheduler: "scheduler",
  flags: "sched-flags",
  timeout: "persistent",
  netmask: "netmask",
  engine: "pe",
  onePacket: "ops",
  forwarding: "forwarding-method",
  weight: "weight",
  tunnel: "tun-type",
  tunnelPort: "tun-port",
  upperThreshold: "u-threshold",
  lowerThreshold: "l-threshold",
  group: "mcast-group",
};

/** Reads command lines as -R does. @param bytes one character a byte */
export async function readClassic(
  name: string,
  bytes: string,
  names: RuleNames,
): Promise<RuleFile> {
  const hosts = new Hosts(names);
  const reader = new Reader(bytes.split("\n"), hosts);
  while (!reader.read()) await hosts.learn(reader.namedHosts());
  return reader.file(name);
}

/** A fault whose advice may hang on what comes later. */
type FaultToAdvise = RuleFault & Pick<Refused, "missing">;

class Reader {
  readonly #lines: readonly string[];
  readonly #parser: Parser;
  readonly #hosts: Hosts;
  readonly #table = new ClassicTable();
  readonly #faults: FaultToAdvise[] = [];
  readonly #remarks: RuleFault[] = [];
  /** The line that is read next */
  #next = 0;

  constructor(lines: readonly string[], hosts: Hosts) {
    this.#lines = lines;
    this.#parser = new Parser(hosts);
    this.#hosts = hosts;
  }

  /** Reads on. @returns false if hosts must be found out first */
  read(): boolean {
    for (; this.#next < this.#lines.length; this.#next++) {
      const line = this.#lines[this.#next] ?? "";
      const words = ruleWords(line);
      if (words.length > 0 && !this.#rule(words)) return false;
    }
    return true;
  }

  /** The hosts that are named from here on. */
  namedHosts(): Set<string> {
    const names = new Set<string>();
    const parser = new Parser({
      host: (name: string) => {
        names.add(name);
        return new Uint8Array(4);
      },
      port: () => 0,
    });
    for (let i = this.#next; i < this.#lines.length; i++) {
      try {
        parser.read(ruleWords(this.#lines[i] ?? ""));
      } catch (error) {
        if (!(error instanceof UsageFault)) throw error;
      }
    }
    return names;
  }

  #rule(words: readonly string[]): boolean {
    const notes: ParseNotes = { where: new Map() };
    let command: ClassicCommand;
    try {
      command = this.#parser.read(words, notes);
    } catch (error) {
      if (error instanceof UnresolvedHost) return false;
      if (!(error instanceof UsageFault)) throw error;
      this.#misread(error, words, notes);
      return true;
    }
    if (isChange(command)) this.#carryOut(command, words, notes);
    else
      this.#fault(undefined, {
        id: "not-a-rule",
        fault: `${command.command} changes nothing, so it is no rule`,
        advice: "leave the line out",
      });
    return true;
  }

  #misread(
    fault: UsageFault,
    words: readonly string[],
    notes: ParseNotes,
  ): void {
    const { option } = fault;
    const word =
      fault.word ?? (option === undefined ? 0 : notes.where.get(option));
    this.#fault(word, explainFault(fault, words, notes, this.#hosts));
    const service = serviceOf(notes);
    if (!service) return;
    if (notes.commandName === "add-service")
      this.#table.standIn(service, this.#next + 1);
    else this.#table.missServer(service);
  }

  #carryOut(
    command: Change,
    words: readonly string[],
    notes: ParseNotes,
  ): void {
    const refused = this.#table.carryOut(command, this.#next + 1);
    if (refused) {
      this.#fault(wordOf(refused.part, notes), refused);
      return;
    }
    for (const remark of remarksOn(command, words, notes))
      this.#remarks.push(this.#placed(wordOf(remark.part, notes), remark));
  }

  #fault(word: number | undefined, remark: Refused): void {
    this.#faults.push(this.#placed(word, remark));
  }

  #placed(
    word: number | undefined,
    { id, fault, advice, missing }: Refused,
  ): FaultToAdvise {
    const line = this.#lines[this.#next] ?? "";
    return {
      place: placeIn(line, this.#next + 1, word),
      id,
      fault: decoded(fault),
      ...(advice !== undefined && { advice: decoded(advice) }),
      ...(missing !== undefined && { missing }),
    };
  }

  file(name: string): RuleFile {
    const made = this.#table.made();
    const file = {
      name,
      format: "rules" as const,
      table: made.table,
      remarks: this.#remarks,
      unsound: made.unsound,
      incomplete: made.incomplete,
      placeOf: (rule: Rule, part?: Part) => this.#placeOf(made, rule, part),
      pathOf: () => undefined,
      line: (number: number) =>
        decoded(this.#lines[number - 1] ?? "").replace(/\r$/, ""),
    };
    const faults = this.#faults.map((fault) => this.#withAdvice(fault));
    return {
      ...file,
      faults: [...faults, ...unsynchronized(file)].sort(byPlace),
    };
  }

  /** Of a service that there is none of yet: says whether it comes later. */
  #withAdvice({ missing, ...fault }: FaultToAdvise): RuleFault {
    if (missing === undefined) return fault;
    const later = this.#table.lineOf(missing);
    const advice =
      later === undefined
        ? "add it first with -A, or fix its address, port or protocol"
        : `it is added later, in line ${later}: put this line behind it`;
    return { ...fault, advice };
  }

  #placeOf(made: MadeTable, rule: Rule, part?: Part): Place | undefined {
    const number = made.lines.get(rule);
    if (number === undefined) return undefined;
    const line = this.#lines[number - 1] ?? "";
    if (part === undefined) return placeIn(line, number, 0);
    const notes: ParseNotes = { where: new Map() };
    this.#parser.read(ruleWords(line), notes);
    return placeIn(line, number, wordOf(part, notes));
  }
}

/** The place of a word of a line; of the line's first one, if it is not known which. */
function placeIn(line: string, number: number, word = 0): Place {
  const starts: number[] = [];
  ruleWords(line, starts);
  const start = starts[word] ?? starts[0] ?? 0;
  return { line: number, column: decoded(line.slice(0, start)).length + 1 };
}

function wordOf(
  part: Part | undefined,
  { where }: ParseNotes,
): number | undefined {
  if (part === undefined) return undefined;
  if (part !== "address" && part !== "port") return where.get(OPTIONS[part]);
  return where.get("real-server") ?? where.get("service-address");
}

function isChange(command: ClassicCommand): command is Change {
  return !["list", "save", "restore", "help", "version"].includes(
    command.command,
  );
}

/** The service that a line is about, if it could be read so far. */
function serviceOf({ parsed, where }: ParseNotes): ServiceKey | undefined {
  if (!parsed || !where.has("service-address")) return undefined;
  const named =
    parsed.firewallMark !== 0 ||
    (parsed.protocol !== undefined &&
      parsed.address.some((byte) => byte !== 0));
  return named ? parsed.service : undefined;
}

/** What a line says otherwise than the table will show. */
function* remarksOn(
  command: Change,
  words: readonly string[],
  { parsed, where }: ParseNotes,
): Generator<Remark> {
  const marked = parsed?.firewallMark !== 0;
  for (const [option, part] of [
    ["service-address", "service"],
    ["real-server", "address"],
  ] as const) {
    if (marked && part === "service") continue;
    const meant = unusualAddress(words[where.get(option) ?? -1] ?? "");
    if (meant !== undefined)
      yield {
        id: "unusual-address",
        fault: `this address is read as ${meant}`,
        advice: "write it so if it is meant",
        part,
      };
  }
  if (command.command === "add-server" || command.command === "edit-server") {
    const written = parsed?.writtenServerPort;
    if (written !== undefined && written !== command.server.port)
      yield portIgnored(written, command.server.port);
  }
  if (command.command === "add-service" || command.command === "edit-service") {
    const mask = where.get("netmask") ?? Infinity;
    const { service, settings } = command;
    if (
      service.family === INET6 &&
      settings.flags & PERSISTENT &&
      parsed?.netmask === 128 &&
      mask < (where.get("service-address") ?? 0)
    )
      yield {
        id: "mask-lost",
        fault: "the mask is forgotten as the IPv6 address comes behind it",
        advice: "write -M behind the service",
        part: "netmask",
      };
  }
}

/** What inet_aton(3) makes of an address that is not four decimal numbers; undefined of all that is. */
function unusualAddress(word: string): string | undefined {
  const value = /^--[a-z-]+=(.*)$/.exec(word)?.[1] ?? word;
  const host = value.replace(/:[^:]*$/, "");
  if (!/^[0-9][0-9a-fA-FxX.]*$/.test(host) || parseIpv4(host)) return undefined;
  const address = parseIpv4Loosely(host);
  return address && formatAddress(address);
}
