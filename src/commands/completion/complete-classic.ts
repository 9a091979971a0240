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
import { behind, listed, plain, table, type Candidate } from "./candidates.js";
import type { Live } from "./live-table.js";
import { placeOn, type Found, type Line, type Place } from "./cursor.js";

const OPTION_TABLE = new OptionTable<ClassicCommandSpec | ClassicOption>([
  ...COMMANDS,
  ...OPTIONS,
]);

/** The commands of the classic language that begin with a text. */
export function commands(text: string): Candidate[] {
  return COMMANDS.flatMap((row) => table(row, text, row.help));
}

/** What may stand at the cursor of a line of the classic language. */
export async function completeClassic(
  line: Line,
  io: Io,
  live: Live,
): Promise<Candidate[]> {
  const place = placeOn(line, OPTION_TABLE);
  const [first] = place.found;
  const command = first && "commandName" in first.row ? first.row : undefined;
  if (place.option) {
    const row = command ?? place.option;
    const at = new Classic(row, place.found, io, live);
    const values = await at.values(place.option, place.text);
    const options = place.optional ? at.options("") : [];
    return [...options, ...behind(place.head, values)];
  }
  if (place.letters)
    return [{ value: place.text, description: place.letters.help }];
  if (line.index === 0) return commands(place.text);
  if (!command || !place.optional || !/^(-|$)/.test(place.text)) return [];
  return new Classic(command, place.found, io, live).options(place.text);
}

/** A line whose command is known. */
class Classic {
  readonly #given: readonly string[];

  constructor(
    readonly command: ClassicCommandSpec | ClassicOption,
    readonly found: Place<ClassicCommandSpec | ClassicOption>["found"],
    readonly io: Io,
    readonly live: Live,
  ) {
    this.#given = found.flatMap(({ row }) =>
      "commandName" in row || row.option === undefined ? [] : [row.option],
    );
  }

  /** The options that may come, first those that must. */
  options(text: string): Candidate[] {
    const { command } = this;
    if (!("commandName" in command)) return [];
    const { commandName } = command;
    const joining = OPTIONS.filter((row) =>
      this.#canAdd(row, commandName, text),
    );
    const must = (row: ClassicOption) => row.with[commandName] === "must";
    return [
      ...joining.filter(must),
      ...joining.filter((row) => !must(row)),
    ].flatMap((row) => table(row, text, row.help));
  }

  #canAdd(
    row: ClassicOption,
    commandName: ClassicCommandSpec["commandName"],
    text: string,
  ): boolean {
    const parsed = this.#parsed();
    // What does nothing is shown only to those who ask for all options.
    if (text === "" && row.option === undefined && !row.apply) return false;
    if (!row.value && !taken(row.apply, parsed, "")) return false;
    return canAdd(row, commandName, this.#given, parsed);
  }

  /** What may stand for the value of an option. */
  async values(
    { argument = "", ...row }: ClassicCommandSpec | ClassicOption,
    text: string,
  ): Promise<Candidate[]> {
    const { live } = this;
    const completes = "completes" in row ? row.completes : undefined;
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
        return listed(text, plain(flags));
      }
      default:
        // The service that is to be added is not there yet.
        return this.#is("add-service") ? [] : live.services(completes);
    }
  }

  /** The servers of the service on the line; to add one, those that others have. */
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

  /** What the line says so far; what is at fault in it, or names a host, says nothing. */
  #parsed(): ParsedOptions {
    const lookups: Lookups = {
      host: () => undefined,
      port: (service, protocol) =>
        this.io.names.servicePort(service, TRANSPORTS[protocol]),
    };
    const parsed = new ParsedOptions(lookups);
    for (const { row, value } of this.found)
      taken(row.apply, parsed, value ?? fallbackOf(row));
    return parsed;
  }
}

function fallbackOf(
  row: Found<ClassicCommandSpec | ClassicOption>["row"],
): string {
  return ("fallback" in row ? row.fallback : undefined) ?? "";
}

/** Whether a parsed takes a value. */
function taken(
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
