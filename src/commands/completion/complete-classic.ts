import { ParsedOptions } from "../../grammar/parsed-options.js";
import type { Lookups } from "../../grammar/endpoint.js";
import { UsageFault } from "../../grammar/usage-errors.js";
import { canAdd } from "../../grammar/option-combinations.js";
import {
  COMMANDS,
  OPTIONS,
  type ClassicCommandSpec,
  type ClassicOption,
} from "../../grammar/options.js";
import { OptionTable } from "../../grammar/scanner.js";
import { formatSelector } from "../../grammar/selector.js";
import { schedulerFlagsFor } from "../../ipvs/scheduler-flags.js";
import type { ServiceKey } from "../../ipvs/model.js";
import type { Io } from "../../runtime/io.js";
import { TRANSPORTS } from "../../ipvs/model.js";
import {
  prefixed,
  nextInList,
  plain,
  spellings,
  type Candidate,
} from "./candidates.js";
import type { LiveValues } from "./live-values.js";
import {
  locateCursor,
  type Found,
  type Line,
  type CursorContext,
} from "./cursor.js";

const OPTION_TABLE = new OptionTable<ClassicCommandSpec | ClassicOption>([
  ...COMMANDS,
  ...OPTIONS,
]);

/** Returns the classic commands that begin with a text. */
export function commands(text: string): Candidate[] {
  return COMMANDS.flatMap((spec) => spellings(spec, text, spec.help));
}

/** Returns the candidates for a line with classic options. */
export async function completeClassic(
  line: Line,
  io: Io,
  live: LiveValues,
): Promise<Candidate[]> {
  const cursor = locateCursor(line, OPTION_TABLE);
  const [first] = cursor.found;
  const command = first && "commandName" in first.spec ? first.spec : undefined;
  if (cursor.option) {
    const spec = command ?? cursor.option;
    const classic = new ClassicLine(spec, cursor.found, io, live);
    const values = await classic.values(cursor.option, cursor.text);
    const options = cursor.optional ? classic.options("") : [];
    return [...options, ...prefixed(cursor.prefix, values)];
  }
  if (cursor.letters)
    return [{ value: cursor.text, description: cursor.letters.help }];
  if (line.index === 0) return commands(cursor.text);
  if (!command || !cursor.optional || !/^(-|$)/.test(cursor.text)) return [];
  return new ClassicLine(command, cursor.found, io, live).options(cursor.text);
}

/** A line whose command is known. */
class ClassicLine {
  readonly #given: readonly string[];

  constructor(
    readonly command: ClassicCommandSpec | ClassicOption,
    readonly found: CursorContext<ClassicCommandSpec | ClassicOption>["found"],
    readonly io: Io,
    readonly live: LiveValues,
  ) {
    this.#given = found.flatMap(({ spec }) =>
      "commandName" in spec || spec.option === undefined ? [] : [spec.option],
    );
  }

  /** Returns the options that may follow, required ones first. */
  options(text: string): Candidate[] {
    const { command } = this;
    if (!("commandName" in command)) return [];
    const { commandName } = command;
    const allowed = OPTIONS.filter((spec) =>
      this.#canAdd(spec, commandName, text),
    );
    const isRequired = (spec: ClassicOption) =>
      spec.with[commandName] === "must";
    return [
      ...allowed.filter(isRequired),
      ...allowed.filter((spec) => !isRequired(spec)),
    ].flatMap((spec) => spellings(spec, text, spec.help));
  }

  #canAdd(
    spec: ClassicOption,
    commandName: ClassicCommandSpec["commandName"],
    text: string,
  ): boolean {
    const parsed = this.#parsed();
    // Offer options without effect only after a dash.
    if (text === "" && spec.option === undefined && !spec.apply) return false;
    if (!spec.value && !accepts(spec.apply, parsed, "")) return false;
    return canAdd(spec, commandName, this.#given, parsed);
  }

  /** Returns the values of an option. */
  async values(
    { argument = "", ...spec }: ClassicCommandSpec | ClassicOption,
    text: string,
  ): Promise<Candidate[]> {
    const { live } = this;
    const completes = "completes" in spec ? spec.completes : undefined;
    switch (completes) {
      case undefined:
        return argument.includes("|") ? plain(argument.split("|")) : [];
      case "server":
        return this.#servers();
      case "scheduler":
        return live.schedulers();
      case "engine":
        return live.persistenceEngines();
      case "interface":
        return live.interfaces();
      case "scheduler-flags": {
        const { scheduler } = this.#parsed();
        const flags = schedulerFlagsFor(
          scheduler === "" ? undefined : scheduler,
        );
        return nextInList(text, plain(flags));
      }
      default:
        // A new service is not in the table yet.
        return this.#is("add-service") ? [] : live.services(completes);
    }
  }

  /** Returns the servers of the service on the line. To add a server: those of other services. */
  #servers(): Promise<Candidate[]> {
    const own = this.#service();
    const name = own && formatSelector(own);
    const isOwn = (key: ServiceKey) => formatSelector(key) === name;
    if (this.#is("add-server"))
      return this.live.servers((key) => !isOwn(key), isOwn);
    return this.live.servers((key) => own === undefined || isOwn(key));
  }

  #is(name: ClassicCommandSpec["commandName"]): boolean {
    return "commandName" in this.command && this.command.commandName === name;
  }

  #service(): ServiceKey | undefined {
    return this.#given.includes("service-address")
      ? this.#parsed().service
      : undefined;
  }

  /** Parses the line so far. Invalid values and host names are skipped. */
  #parsed(): ParsedOptions {
    const lookups: Lookups = {
      host: () => undefined,
      port: (service, protocol) =>
        this.io.names.servicePort(service, TRANSPORTS[protocol]),
    };
    const parsed = new ParsedOptions(lookups);
    for (const { spec, value } of this.found)
      accepts(spec.apply, parsed, value ?? fallbackOf(spec));
    return parsed;
  }
}

function fallbackOf(
  spec: Found<ClassicCommandSpec | ClassicOption>["spec"],
): string {
  return ("fallback" in spec ? spec.fallback : undefined) ?? "";
}

/** Sets the value of an option. @returns whether it is valid */
function accepts(
  apply: ClassicCommandSpec["apply"],
  parsed: ParsedOptions,
  value: string,
): boolean {
  try {
    apply?.(parsed, value);
    return true;
  } catch (error) {
    if (error instanceof UsageFault) return false;
    throw error;
  }
}
