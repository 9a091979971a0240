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
  prefixed,
  described,
  nextInList,
  plain,
  spellings,
  type Candidate,
  type Candidates,
} from "./candidates.js";
import type { LiveValues } from "./live-values.js";
import { locateCursor, type Line } from "./cursor.js";
import { SHELLS } from "./shells.js";

/** An option of a subcommand in the form that the scanner reads. */
interface Option extends OptionSyntax {
  readonly spec: OptionSpec;
}

/** Returns all subcommands. */
export function subcommands(): Candidate[] {
  return described(SPECS.map(({ name, summary }) => [name, summary]));
}

/** Returns the candidates for a line that begins with a subcommand. */
export async function completeSubcommand(
  { words: [name = "", ...words], index }: Line,
  io: Io,
  live: LiveValues,
): Promise<Candidates> {
  const [action] = words;
  if (name === "fleet" && action !== undefined && index > 1) {
    // Only this subcommand has actions. Their specs are loaded when they are needed.
    const { FLEET_SPECS } = await import("../fleet/specs.js");
    const spec = FLEET_SPECS.find((one) => one.name === `fleet ${action}`);
    if (spec)
      return completeWords(
        spec,
        { words: words.slice(1), index: index - 2 },
        io,
        live,
      );
  }
  const subcommand = specNamed(name);
  return subcommand
    ? completeWords(subcommand, { words, index: index - 1 }, io, live)
    : [];
}

/** The candidates for the words after the name of a subcommand. */
async function completeWords(
  subcommand: SubcommandSpec,
  line: Line,
  io: Io,
  live: LiveValues,
): Promise<Candidates> {
  const options = optionsOf(subcommand).map(asSpelling);
  const cursor = locateCursor(line, new OptionTable(options));
  const { option, text, prefix } = cursor;
  const services = servicesNamed(subcommand, cursor.positionals, io);
  if (option) {
    const { choices, completes, type } = option.spec;
    const many = type === "list";
    const values = await valuesOf(choices, completes, text, services, live);
    if (values === "files") return values;
    return prefixed(prefix, many ? nextInList(text, values) : values);
  }
  if (cursor.letters)
    return [{ value: text, description: cursor.letters.spec.description }];
  const found = new Set(cursor.found.map(({ spec }) => spec));
  const allowed = options
    .filter((one) => !found.has(one) || one.spec.type === "list")
    .flatMap((one) => spellings(one, text, one.spec.description));
  if (cursor.optional && text.startsWith("-")) return allowed;
  const at = cursor.positionals.length;
  const last = subcommand.positionals.at(-1);
  const positional =
    subcommand.positionals[at] ?? (last?.many ? last : undefined);
  if (!positional) return cursor.optional && text === "" ? allowed : [];
  const { choices, completes } = positional;
  const values = await valuesOf(choices, completes, text, services, live);
  const given = new Set(cursor.positionals);
  return values === "files"
    ? values
    : values.filter(({ value }) => !given.has(value));
}

function asSpelling(spec: OptionSpec): Option {
  return {
    spec,
    long: spec.name,
    ...(spec.alias !== undefined && { short: spec.alias }),
    ...(spec.type !== "flag" && { value: "required" }),
  };
}

async function valuesOf(
  choices: readonly string[] | undefined,
  completes: Completes | undefined,
  text: string,
  services: readonly ServiceSelector[],
  live: LiveValues,
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

/** Returns the services before the cursor. Services with a host name are skipped: completion must not wait for a resolver. */
function servicesNamed(
  { positionals }: SubcommandSpec,
  words: readonly string[],
  io: Io,
): ServiceSelector[] {
  const lookups: Lookups = {
    host: (name) => {
      throw new UnresolvedHost(name);
    },
    port: (service, protocol) =>
      io.names.servicePort(service, TRANSPORTS[protocol]),
  };
  return words.flatMap((word, i) => {
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
