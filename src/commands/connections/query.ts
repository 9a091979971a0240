import { CONNECTION_STATES } from "../../ipvs/connection-states.js";
import { parseNetwork, type Network } from "../../ipvs/ip-network.js";
import type { Names } from "../../system/names.js";
import { UsageError } from "../../cli/errors.js";
import { nearest } from "../../text/nearest.js";
import type { Arguments } from "../../cli/parser.js";
import { readServerFilter } from "../../cli/network-filters.js";
import { readServices } from "../../cli/selectors.js";
import { escapeControls } from "../../cli/escape.js";
import type { Filters } from "./filter.js";

const SUBCOMMAND = "connections";
const DEFAULT_TOP = 10;

/** Whether to show persistence templates. */
export type Templates = "without" | "with" | "only";

/** What connections can be counted by. */
export const GROUPS = ["client", "service", "server", "state"] as const;
export type Group = (typeof GROUPS)[number];

/** What the command line asks for. */
export interface Query {
  readonly filters: Filters;
  readonly templates: Templates;
  readonly top: { readonly by: Group; readonly limit: number } | undefined;
  readonly count: boolean;
  /** How many connections to show at most */
  readonly limit: number;
}

/** Reads the command line. @throws {UsageError} @throws {SelectorFault} */
export async function readQuery(
  given: Arguments,
  names: Names,
): Promise<Query> {
  const by = GROUPS.find((group) => group === given.text("top"));
  const count = given.flag("count");
  if (by && count)
    throw new UsageError("--top and --count exclude each other", SUBCOMMAND);
  const services = [...given.positionals, ...given.list("service")];
  // The limit may follow the group: `--top client 5`.
  const at = by ? services.findIndex((text) => /^[1-9][0-9]*$/.test(text)) : -1;
  const [number] = at < 0 ? [] : services.splice(at, 1);
  const limit =
    given.number("limit") ??
    (number === undefined ? undefined : Number(number));
  const templates = given.flag("templates-only")
    ? "only"
    : given.flag("templates")
      ? "with"
      : "without";
  return {
    filters: await readFilters(given, services, templates, names),
    templates,
    top: by && { by, limit: limit ?? DEFAULT_TOP },
    count,
    limit: limit ?? Infinity,
  };
}

async function readFilters(
  given: Arguments,
  texts: readonly string[],
  templates: Templates,
  names: Names,
): Promise<Filters> {
  const services = await readServices(texts, names);
  if (templates === "without")
    for (const { text, selector } of services)
      if ("firewallMark" in selector)
        throw new UsageError(
          `${text}: the kernel reports the firewall mark of templates, but not of connections`,
          SUBCOMMAND,
          "--templates-only",
        );
  return {
    services: services.map(({ selector }) => selector),
    clients: given.list("client").map(readClient),
    servers: await Promise.all(
      given
        .list("server")
        .map((text) => readServerFilter(text, names, SUBCOMMAND)),
    ),
    protocols: given.list("protocol").map((name) => name.toUpperCase()),
    states: given.list("state").map(readState),
    expiresWithinSeconds: given.duration("expires-within"),
  };
}

function readClient(text: string): Network {
  const network = parseNetwork(text);
  if (network) return network;
  throw new UsageError(
    `--client ${escapeControls(text)}: expected an address such as 10.0.0.7 or a network such as 10.0.0.0/8 or 2001:db8::/32`,
    SUBCOMMAND,
  );
}

function readState(text: string): string {
  const state = text.toUpperCase();
  if (CONNECTION_STATES.has(state)) return state;
  const states = Array.from(CONNECTION_STATES.keys());
  const near = nearest(state, states);
  const known =
    near === undefined ? `; known states: ${states.join(", ")}` : "";
  throw new UsageError(
    `--state ${escapeControls(text)}: unknown state${known}`,
    SUBCOMMAND,
    near,
  );
}
