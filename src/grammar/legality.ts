import {
  TUNNELLING,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_IPIP,
} from "../ipvs/model.js";
import type { Verb } from "./command.js";
import type { Draft } from "./draft.js";
import { UsageFault } from "./faults.js";
import { OPTIONS, type OptionRow } from "./options.js";

/** Every option's name once, in the order of the checks, with the commands that it goes with. */
const BY_NAME: (readonly [string, OptionRow["with"]])[] = [];
for (const { option, with: commands } of OPTIONS) {
  if (option === undefined) continue;
  // Rows of one name stand together, and go with the same commands.
  if (BY_NAME.at(-1)?.[0] !== option) BY_NAME.push([option, commands]);
}

/** Options by which a listing cannot be both. */
const LIST_CONFLICTS = [
  [
    ["stats", "rate", "thresholds"],
    ["connection", "timeout", "daemon"],
  ],
  [["persistent-conn"], ["timeout", "daemon"]],
] as const;

/** For each tunnel type: the port is needed or illegal, and which checksum options there are. */
const TUNNELS: Readonly<
  Record<number, { name: string; port: boolean; checksums: readonly string[] }>
> = {
  [TUNNEL_IPIP]: { name: "ipip", port: false, checksums: [] },
  [TUNNEL_GUE]: {
    name: "gue",
    port: true,
    checksums: ["tun-nocsum", "tun-csum", "tun-remcsum"],
  },
  [TUNNEL_GRE]: {
    name: "gre",
    port: false,
    checksums: ["tun-nocsum", "tun-csum"],
  },
};
const TUNNEL_CHECKSUMS = ["tun-nocsum", "tun-csum", "tun-remcsum"];
const TUNNEL_OPTIONS = ["tun-type", "tun-port", ...TUNNEL_CHECKSUMS];

/** Names of options */
type Names = Pick<ReadonlySet<string>, "has">;

function fault(sentence: string, option?: string): never {
  throw new UsageFault("combination", sentence, undefined, option);
}

/**
 * Checks the options of a command against the table.
 *
 * @param given the names of the options on the line
 * @throws {UsageFault} `combination`, for the first option in the order of the table that does not fit
 */
export function checkOptions(verb: Verb, given: Names): void {
  let chosen: string | undefined;
  for (const [option, commands] of BY_NAME) {
    const rule = commands[verb];
    if (!given.has(option)) {
      if (rule === "must")
        fault(
          `You need to supply the '${option}' option for the '${verb}' command`,
        );
    } else if (rule === undefined) {
      fault(`Illegal '${option}' option with the '${verb}' command`, option);
    } else if (rule === "one of") {
      if (chosen !== undefined)
        fault(
          `The option '${option}' conflicts with the '${chosen}' option in the '${verb}' command`,
          option,
        );
      chosen = option;
    }
  }
}

/** @throws {UsageFault} `combination` when a listing is asked for in two ways at once */
export function checkListing(given: Names): void {
  if (listsTwice(given)) fault("options conflicts in the list command");
}

function listsTwice(given: Names): boolean {
  return LIST_CONFLICTS.some(
    ([formats, subjects]) =>
      formats.some((option) => given.has(option)) &&
      subjects.some((option) => given.has(option)),
  );
}

/**
 * Checks the tunnel options of a real server.
 *
 * @param type a TUNNEL_* number
 * @throws {UsageFault} `combination`
 */
export function checkTunnel(
  given: Names,
  forwarding: number,
  type: number,
): void {
  if (forwarding !== TUNNELLING) {
    for (const option of TUNNEL_OPTIONS)
      if (given.has(option))
        fault("Tunnel options conflict with forward method", option);
    return;
  }
  const tunnel = TUNNELS[type];
  if (!tunnel) return;
  const has = given.has("tun-port");
  if (tunnel.port && !has)
    fault(
      `You need to supply the 'tun-port' option for the '${tunnel.name}' tunnel type`,
      "tun-type",
    );
  if (!tunnel.port && has)
    fault(
      `Illegal 'tun-port' option with the '${tunnel.name}' tunnel type`,
      "tun-port",
    );
  let chosen: string | undefined;
  for (const option of TUNNEL_CHECKSUMS) {
    if (!given.has(option)) continue;
    if (!tunnel.checksums.includes(option))
      fault(
        `Illegal '${option}' option with the '${tunnel.name}' tunnel type`,
        option,
      );
    if (chosen !== undefined)
      fault(
        `The option '${option}' conflicts with the '${chosen}' option in the '${tunnel.name}' tunnel type`,
        option,
      );
    chosen = option;
  }
}

/**
 * Whether an option may still join a line that is being written: what is missing is no fault yet, only what cannot
 * be together is.
 *
 * @param given the names of the options on the line
 * @param draft what they have said, and the option itself if it takes no value
 */
export function mayJoin(
  { option, with: commands }: OptionRow,
  verb: Verb,
  given: ReadonlySet<string>,
  draft: Pick<Draft, "forwarding" | "tunnel">,
): boolean {
  if (option === undefined) return true;
  const rule = commands[verb];
  if (rule === undefined || given.has(option)) return false;
  const chosen = BY_NAME.some(
    ([other, { [verb]: its }]) => its === "one of" && given.has(other),
  );
  if (rule === "one of" && chosen) return false;
  const together = new Set([...given, option]);
  const type = given.has("tun-type") ? draft.tunnel.type : undefined;
  return !listsTwice(together) && tunnelMayBe(together, draft.forwarding, type);
}

/** @param forwarding and `type` are undefined as long as the line does not say */
function tunnelMayBe(
  given: ReadonlySet<string>,
  forwarding = TUNNELLING,
  type: number | undefined,
): boolean {
  if (forwarding !== TUNNELLING)
    return !TUNNEL_OPTIONS.some((option) => given.has(option));
  const checksums = TUNNEL_CHECKSUMS.filter((option) => given.has(option));
  if (checksums.length > 1) return false;
  const tunnel = type === undefined ? undefined : TUNNELS[type];
  if (!tunnel) return true;
  return (
    (tunnel.port || !given.has("tun-port")) &&
    checksums.every((option) => tunnel.checksums.includes(option))
  );
}
