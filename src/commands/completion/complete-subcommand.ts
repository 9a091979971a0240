import { UnresolvedHost } from "../../grammar/usage-errors.js";
import type { Lookups } from "../../grammar/endpoint.js";
import {
  parseServiceSelector,
  selects,
  SelectorFault,
  type ServiceSelector,
} from "../../grammar/selector.js";
import { OptionTable, type OptionSyntax } from "../../grammar/scanner.js";
import type { Io } from "../../runtime/io.js";
import { TRANSPORTS } from "../../ipvs/model.js";
import type { Completes, OptionSpec, SubcommandSpec } from "../../cli/spec.js";
import { optionsOf } from "../../cli/common-options.js";
import { specNamed, SPECS } from "../specs.js";
import {
  behind,
  described,
  listed,
  plain,
  table,
  type Candidate,
  type Candidates,
} from "./candidates.js";
import type { Live } from "./live-table.js";
import { placeOn, type Line } from "./cursor.js";
import { SHELLS } from "./shells.js";

/** An option of a subcommand, as the scanner knows options. */
interface Option extends OptionSyntax {
  readonly row: OptionSpec;
}

/** The subcommands. */
export function subcommands(): Candidate[] {
  return described(SPECS.map(({ name, summary }) => [name, summary]));
}

/** What may stand at the cursor of a line that begins with a subcommand. */
export async function completeWord(
  { words: [name = "", ...words], index }: Line,
  io: Io,
  live: Live,
): Promise<Candidates> {
  const subcommand = specNamed(name);
  if (!subcommand) return [];
  const options = optionsOf(subcommand).map(asSpelling);
  const place = placeOn({ words, index: index - 1 }, new OptionTable(options));
  const { option, text, head } = place;
  const services = servicesNamed(subcommand, place.free, io);
  if (option) {
    const { choices, completes, type } = option.row;
    const many = type === "list";
    const values = await valuesOf(choices, completes, text, services, live);
    if (values === "files") return values;
    return behind(head, many ? listed(text, values) : values);
  }
  if (place.letters)
    return [{ value: text, description: place.letters.row.description }];
  const given = new Set(place.found.map(({ row }) => row));
  const joining = options
    .filter((one) => !given.has(one) || one.row.type === "list")
    .flatMap((one) => table(one, text, one.row.description));
  if (place.optional && text.startsWith("-")) return joining;
  const at = place.free.length;
  const last = subcommand.positionals.at(-1);
  const positional =
    subcommand.positionals[at] ?? (last?.many ? last : undefined);
  if (!positional) return place.optional && text === "" ? joining : [];
  const { choices, completes } = positional;
  const values = await valuesOf(choices, completes, text, services, live);
  const there = new Set(place.free);
  return values === "files"
    ? values
    : values.filter(({ value }) => !there.has(value));
}

function asSpelling(row: OptionSpec): Option {
  return {
    row,
    long: row.name,
    ...(row.alias !== undefined && { short: row.alias }),
    ...(row.type !== "flag" && { value: "required" }),
  };
}

async function valuesOf(
  choices: readonly string[] | undefined,
  completes: Completes | undefined,
  text: string,
  services: readonly ServiceSelector[],
  live: Live,
): Promise<Candidates> {
  if (choices) return plain(choices);
  switch (completes) {
    case "file":
      return "files";
    case "subcommand":
      return subcommands();
    case "shell":
      return plain(SHELLS);
    case "scheduler":
      return live.schedulers();
    case "service":
      return live.selectors(text);
    case "server":
      return live.servers(
        (key) =>
          services.length === 0 || services.some((one) => selects(one, key)),
      );
    default:
      return [];
  }
}

/** The services among the words that stand before the cursor, as far as they can be told without a resolver. */
function servicesNamed(
  { positionals }: SubcommandSpec,
  free: readonly string[],
  io: Io,
): ServiceSelector[] {
  const lookups: Lookups = {
    host: (name) => {
      throw new UnresolvedHost(name);
    },
    port: (service, protocol) =>
      io.names.servicePort(service, TRANSPORTS[protocol]),
  };
  return free.flatMap((word, i) => {
    if ((positionals[i] ?? positionals.at(-1))?.completes !== "service")
      return [];
    try {
      return parseServiceSelector(word, lookups);
    } catch (error) {
      if (error instanceof SelectorFault || error instanceof UnresolvedHost)
        return [];
      throw error;
    }
  });
}
