import { UnresolvedHost, UsageFault } from "../grammar/usage-errors.js";
import { ruleWords } from "../grammar/rule-words.js";
import type { ClassicCommand } from "../grammar/command.js";
import { Parser, type ParseNotes } from "../grammar/parse.js";
import type { Change } from "../ipvs/client.js";
import type { ServiceKey } from "../ipvs/model.js";
import { byPosition, type Finding } from "./finding-positions.js";
import { foreignText } from "./foreign-text.js";
import { HostLookups } from "./host-lookup.js";
import { lineWarnings } from "./line-warnings.js";
import type { NameLookups } from "./name-lookups.js";
import type {
  Part,
  Position,
  Rule,
  RuleFinding,
  RuleFile,
} from "./rule-file.js";
import {
  SimulatedTable,
  type CommandRefusal,
  type SimulationResult,
} from "./simulated-table.js";
import { syncConflicts } from "./table-errors.js";
import { decodeUtf8 } from "../text/utf8.js";
import { explainUsageFault } from "./usage-findings.js";

/** The options that set the parts of a rule. */
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

const CLEARS_RULES: Finding = {
  id: "clears-rules",
  message: "this clears all services that the lines above add",
  advice: "move -C to the first line",
};

/** Files with at least so many lines, none of which is a rule, get a single error. */
const LINES_OF_FOREIGN_TEXT = 3;

/** Reads command lines as -R does. @param bytes the text, with one character per byte */
export async function readClassic(
  name: string,
  bytes: string,
  names: NameLookups,
): Promise<RuleFile> {
  const hosts = new HostLookups(names);
  const reader = new Reader(bytes.split("\n"), hosts);
  while (!reader.read()) await hosts.lookUp(reader.hostNames());
  return reader.file(name);
}

/** An error whose advice may depend on later lines. */
type PendingError = RuleFinding & Pick<CommandRefusal, "missing">;

class Reader {
  readonly #lines: readonly string[];
  readonly #parser: Parser;
  readonly #hosts: HostLookups;
  readonly #table = new SimulatedTable();
  readonly #errors: PendingError[] = [];
  readonly #warnings: RuleFinding[] = [];
  /** The index of the next line */
  #next = 0;
  /** How many lines are commands, and how many are not */
  #commands = 0;
  #otherLines = 0;
  /** A line which shows that the text is not a file of rules */
  #foreign: RuleFinding | undefined;

  constructor(lines: readonly string[], hosts: HostLookups) {
    this.#lines = lines;
    this.#parser = new Parser(hosts);
    this.#hosts = hosts;
  }

  /** Reads the next lines. @returns false if host names have to be looked up first */
  read(): boolean {
    for (; this.#next < this.#lines.length; this.#next++) {
      const line = this.#lines[this.#next] ?? "";
      const words = ruleWords(line);
      if (words.length > 0 && !this.#readRule(words)) return false;
    }
    return true;
  }

  /** The host names in the lines that are not read yet. */
  hostNames(): Set<string> {
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

  #readRule(words: readonly string[]): boolean {
    const notes: ParseNotes = { where: new Map() };
    let command: ClassicCommand;
    try {
      command = this.#parser.read(words, notes);
    } catch (error) {
      if (error instanceof UnresolvedHost) return false;
      if (!(error instanceof UsageFault)) throw error;
      this.#addUsageError(error, words, notes);
      return true;
    }
    this.#commands++;
    if (isChange(command)) this.#simulate(command, words, notes);
    else
      this.#addError(undefined, {
        id: "not-a-rule",
        message: `${command.command} changes nothing, so it is not a rule`,
        advice: "remove the line",
      });
    return true;
  }

  #addUsageError(
    fault: UsageFault,
    words: readonly string[],
    notes: ParseNotes,
  ): void {
    const { option } = fault;
    const word =
      fault.word ?? (option === undefined ? 0 : notes.where.get(option));
    this.#addError(
      word,
      explainUsageFault(fault, words, word, notes, this.#hosts),
    );
    if (fault.kind === "not-a-command") {
      this.#otherLines++;
      const foreign = foreignText(this.#lines[this.#next] ?? "");
      if (foreign)
        this.#foreign ??= this.#atWord(0, { id: "form", ...foreign });
    } else this.#commands++;
    const service = serviceOf(notes);
    if (!service) return;
    if (notes.commandName === "add-service")
      this.#table.addPlaceholder(service, this.#next + 1);
    else this.#table.markIncomplete(service);
  }

  #simulate(
    command: Change,
    words: readonly string[],
    notes: ParseNotes,
  ): void {
    if (command.command === "flush" && this.#table.hasServices)
      this.#warnings.push(this.#atWord(0, CLEARS_RULES));
    const refusal = this.#table.apply(command, this.#next + 1);
    if (refusal) {
      this.#addError(wordOf(refusal.part, notes), refusal);
      return;
    }
    for (const warning of lineWarnings(command, words, notes))
      this.#warnings.push(this.#atWord(wordOf(warning.part, notes), warning));
  }

  #addError(word: number | undefined, finding: CommandRefusal): void {
    this.#errors.push(this.#atWord(word, finding));
  }

  #atWord(
    word: number | undefined,
    { id, message, advice, missing }: CommandRefusal,
  ): PendingError {
    const line = this.#lines[this.#next] ?? "";
    return {
      position: positionIn(line, this.#next + 1, word),
      id,
      message: decodeUtf8(message),
      ...(advice !== undefined && { advice: decodeUtf8(advice) }),
      ...(missing !== undefined && { missing }),
    };
  }

  file(name: string): RuleFile {
    const result = this.#table.result();
    const file = {
      name,
      format: "rules" as const,
      table: result.table,
      textWarnings: [...this.#warnings, ...this.#promptWarning()],
      invalid: result.invalid,
      incomplete: result.incomplete,
      positionOf: (rule: Rule, part?: Part) =>
        this.#positionOf(result, rule, part),
      pathOf: () => undefined,
      line: (number: number) =>
        decodeUtf8(this.#lines[number - 1] ?? "").replace(/\r$/, ""),
    };
    const foreign = this.#foreignError();
    if (foreign) return { ...file, textWarnings: [], errors: [foreign] };
    const errors = this.#errors.map((error) => this.#withAdvice(error));
    return {
      ...file,
      errors: [...errors, ...syncConflicts(file)].sort(byPosition),
    };
  }

  /** The only error of a text that is not a file of rules; undefined if it is one. */
  #foreignError(): RuleFinding | undefined {
    if (this.#foreign) return this.#foreign;
    const [first] = this.#errors;
    if (!first || this.#commands > 0) return undefined;
    return this.#otherLines < LINES_OF_FOREIGN_TEXT
      ? undefined
      : {
          position: first.position,
          id: "form",
          message: "this is not a file of rules: no line begins with a command",
          advice:
            "rules are lines such as -A -t 192.0.2.1:80, or a table in JSON or YAML",
        };
  }

  /** A shell prompt of root turns a pasted rule into a comment. */
  *#promptWarning(): Generator<RuleFinding> {
    if (this.#commands + this.#otherLines > 0) return;
    const index = this.#lines.findIndex((line) =>
      /^\s*# *(?:sudo +)?(?:\S*\/)?ipvsadm +-/.test(line),
    );
    if (index >= 0)
      yield {
        position: { line: index + 1, column: 1 },
        id: "commented-rule",
        message: "this line is a comment, so its rule is ignored",
        advice: 'if "#" is a shell prompt, remove it',
      };
  }

  /** The advice for a missing service says if it is added later. */
  #withAdvice({ missing, ...error }: PendingError): RuleFinding {
    if (missing === undefined) return error;
    const later = this.#table.lineOf(missing);
    const advice =
      later === undefined
        ? "add it with -A on a line above, or correct its address, port or protocol"
        : `it is added in line ${later}: move this line below it`;
    return { ...error, advice };
  }

  #positionOf(
    result: SimulationResult,
    rule: Rule,
    part?: Part,
  ): Position | undefined {
    const number = result.lines.get(rule);
    if (number === undefined) return undefined;
    const line = this.#lines[number - 1] ?? "";
    if (part === undefined) return positionIn(line, number, 0);
    const notes: ParseNotes = { where: new Map() };
    this.#parser.read(ruleWords(line), notes);
    return positionIn(line, number, wordOf(part, notes));
  }
}

/** The position of a word in a line; of the first word if it is undefined. */
function positionIn(line: string, number: number, word = 0): Position {
  const starts: number[] = [];
  ruleWords(line, starts);
  const start = starts[word] ?? starts[0] ?? 0;
  return { line: number, column: decodeUtf8(line.slice(0, start)).length + 1 };
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

/** The service of a line, if that part could be parsed. */
function serviceOf({ parsed, where }: ParseNotes): ServiceKey | undefined {
  if (!parsed || !where.has("service-address")) return undefined;
  const isComplete =
    parsed.firewallMark !== 0 ||
    (parsed.protocol !== undefined &&
      parsed.address.some((byte) => byte !== 0));
  return isComplete ? parsed.service : undefined;
}
