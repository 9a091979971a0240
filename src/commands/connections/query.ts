import { CONNECTION_STATES } from "../../ipvs/connection-states.js";
import {
  networkOf,
  parseNetwork,
  type Network,
} from "../../ipvs/ip-network.js";
import type { Names } from "../../system/names.js";
import { UsageError } from "../../cli/errors.js";
import { nearest } from "../../text/nearest.js";
import type { Arguments } from "../../cli/parser.js";
import { readServer, readService } from "../../cli/selectors.js";
import { escapeControls } from "../../cli/escape.js";
import type { ServersWanted, Wanted } from "./filter.js";

const SUBCOMMAND = "connections";
const DEFAULT_TOP = 10;

/** What is to be told of templates, the entries by which persistence binds clients to servers. */
export type Templates = "without" | "with" | "only";

/** By what the connections can be counted. */
export const GROUPS = ["client", "service", "server", "state"] as const;
export type Group = (typeof GROUPS)[number];

/** What a command line asks for. */
export interface Question {
  readonly wanted: Wanted;
  readonly templates: Templates;
  readonly top: { readonly by: Group; readonly limit: number } | undefined;
  readonly count: boolean;
  /** How many connections to show at the most */
  readonly limit: number;
}

/** Reads the options. @throws {UsageError} @throws {SelectorFault} */
export async function readQuestion(
  given: Arguments,
  names: Names,
): Promise<Question> {
  const by = GROUPS.find((group) => group === given.text("top"));
  const words = [...given.positionals, ...given.list("service")];
  // People write the number behind what is counted: `--top client 5`.
  const number = by ? words.findIndex((word) => /^[0-9]+$/.test(word)) : -1;
  const [behind] = number < 0 ? [] : words.splice(number, 1);
  const limit = wholeLimit(given.text("limit") ?? behind);
  const templates = given.flag("templates-only")
    ? "only"
    : given.flag("templates")
      ? "with"
      : "without";
  if (by && given.flag("count"))
    throw new UsageError("--top and --count exclude each other", SUBCOMMAND);
  return {
    wanted: await readWanted(given, words, templates, names),
    templates,
    top: by && { by, limit: limit ?? DEFAULT_TOP },
    count: given.flag("count"),
    limit: limit ?? Infinity,
  };
}

async function readWanted(
  given: Arguments,
  services: readonly string[],
  templates: Templates,
  names: Names,
): Promise<Wanted> {
  const expires = given.text("expires-within");
  const selectors = await Promise.all(
    services.map((text) => readService(text, names)),
  );
  if (templates === "without")
    for (const [i, selector] of selectors.entries())
      if ("firewallMark" in selector)
        throw new UsageError(
          `${escapeControls(services[i] ?? "")}: the kernel tells of which firewall mark its templates are, but not its connections`,
          SUBCOMMAND,
          "--templates-only",
        );
  return {
    services: selectors,
    clients: given.list("client").map(readClient),
    servers: await Promise.all(
      given.list("server").map((text) => readServers(text, names)),
    ),
    protocols: given.list("protocol").map((name) => name.toUpperCase()),
    states: given.list("state").map(readState),
    expiresWithinSeconds:
      expires === undefined ? undefined : readDuration(expires),
  };
}

function wholeLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]{0,8}$/.test(text))
    throw new UsageError(
      `--limit ${escapeControls(text)}: a whole number from 1 on is wanted`,
      SUBCOMMAND,
    );
  return Number(text);
}

function readClient(text: string): Network {
  const network = parseNetwork(text);
  if (network) return network;
  throw new UsageError(
    `--client ${escapeControls(text)} is neither an address such as 10.0.0.7 nor a network such as 10.0.0.0/8 or 2001:db8::/32`,
    SUBCOMMAND,
  );
}

async function readServers(text: string, names: Names): Promise<ServersWanted> {
  if (!text.includes("/")) {
    const { address, port } = await readServer(text, undefined, names);
    return { network: networkOf(address), port };
  }
  const network = parseNetwork(text);
  if (network) return { network, port: undefined };
  throw new UsageError(
    `--server ${escapeControls(text)} is neither a real server such as 10.0.0.7:80 nor a network such as 10.0.0.0/8`,
    SUBCOMMAND,
  );
}

function readState(text: string): string {
  const state = text.toUpperCase();
  if (CONNECTION_STATES.has(state)) return state;
  const states = Array.from(CONNECTION_STATES.keys());
  const near = nearest(state, states);
  const known = near === undefined ? `; there are ${states.join(", ")}` : "";
  throw new UsageError(
    `--state ${escapeControls(text)}: there is no such state${known}`,
    SUBCOMMAND,
    near,
  );
}

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
};

/** `90`, `90s`, `1m30s`, `2h` in seconds. */
function readDuration(text: string): number {
  if (!/^([0-9]{1,9}|([0-9]{1,9}[smhd])+)$/.test(text))
    throw new UsageError(
      `--expires-within ${escapeControls(text)} is no duration such as 30s, 5m or 1h30m`,
      SUBCOMMAND,
    );
  let seconds = 0;
  for (const [, count = "", unit = "s"] of text.matchAll(/([0-9]+)([smhd])?/g))
    seconds += Number(count) * (UNIT_SECONDS[unit] ?? 1);
  return seconds;
}
