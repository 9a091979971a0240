import {
  TUNNELING,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_IPIP,
} from "../ipvs/model.js";
import type { CommandName } from "./command.js";
import type { ParsedOptions } from "./parsed-options.js";
import { UsageFault } from "./usage-errors.js";
import { OPTIONS, type ClassicOption } from "./options.js";

/**
 * The commands of each option, by the option's name, in the order of the checks. All rows with the
 * same name agree.
 */
const BY_NAME = new Map<string, ClassicOption["with"]>();
for (const { option, with: commands } of OPTIONS)
  if (option !== undefined) BY_NAME.set(option, commands);

/** Options that conflict in a listing. */
const LIST_CONFLICTS = [
  [
    ["stats", "rate", "thresholds"],
    ["connection", "timeout", "daemon"],
  ],
  [["persistent-conn"], ["timeout", "daemon"]],
] as const;

/** The number of required options of each command. */
const NEEDED = new Map<CommandName, number>();
for (const commands of BY_NAME.values())
  for (const [commandName, rule] of Object.entries(commands) as [
    CommandName,
    string,
  ][])
    if (rule === "must")
      NEEDED.set(commandName, (NEEDED.get(commandName) ?? 0) + 1);

/** For each tunnel type: whether tun-port is required or illegal, and the checksum options. */
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

/** Names of options. An array, because there are few of them, and tens of thousands of lines. */
type Names = readonly string[];

function fault(sentence: string, option?: string): never {
  throw new UsageFault("combination", sentence, undefined, option);
}

/**
 * Checks which options a command allows and requires.
 *
 * @param given the names of the options on the line
 * @throws {UsageFault} `combination`, for the first option in the order of the table that does not
 *   fit
 */
export function checkOptions(commandName: CommandName, given: Names): void {
  if (!fits(commandName, given)) refuse(commandName, given);
}

/** Whether a command allows all given options and has all required ones. */
function fits(commandName: CommandName, given: Names): boolean {
  let needed = NEEDED.get(commandName) ?? 0;
  let chosen = 0;
  for (const option of given) {
    const rule = BY_NAME.get(option)?.[commandName];
    if (rule === undefined) return false;
    if (rule === "must") needed--;
    if (rule === "one of") chosen++;
  }
  return needed === 0 && chosen <= 1;
}

/** Reports the first option that does not fit. @throws {UsageFault} */
function refuse(commandName: CommandName, given: Names): void {
  let chosen: string | undefined;
  for (const [option, commands] of BY_NAME) {
    const rule = commands[commandName];
    if (!given.includes(option)) {
      if (rule === "must")
        fault(
          `You need to supply the '${option}' option for the '${commandName}' command`,
        );
    } else if (rule === undefined) {
      fault(
        `Illegal '${option}' option with the '${commandName}' command`,
        option,
      );
    } else if (rule === "one of") {
      if (chosen !== undefined)
        fault(
          `The option '${option}' conflicts with the '${chosen}' option in the '${commandName}' command`,
          option,
        );
      chosen = option;
    }
  }
}

/** @throws {UsageFault} `combination`, if the options of a listing conflict */
export function checkListing(given: Names): void {
  if (listingsConflict(given)) fault("options conflicts in the list command");
}

function listingsConflict(given: Names): boolean {
  return LIST_CONFLICTS.some(
    ([formats, subjects]) =>
      formats.some((option) => given.includes(option)) &&
      subjects.some((option) => given.includes(option)),
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
  if (forwarding !== TUNNELING) {
    for (const option of TUNNEL_OPTIONS)
      if (given.includes(option))
        fault("Tunnel options conflict with forward method", option);
    return;
  }
  const tunnel = TUNNELS[type];
  if (!tunnel) return;
  const has = given.includes("tun-port");
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
    if (!given.includes(option)) continue;
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
 * Whether an option may be added to an incomplete line. Used for completion: conflicts count,
 * missing options do not.
 *
 * @param given the names of the options on the line
 * @param parsed their values, including that of the new option if it takes no argument
 */
export function canAdd(
  { option, with: commands }: ClassicOption,
  commandName: CommandName,
  given: Names,
  parsed: Pick<ParsedOptions, "forwarding" | "tunnel">,
): boolean {
  if (option === undefined) return true;
  const rule = commands[commandName];
  if (rule === undefined || given.includes(option)) return false;
  const chosen = given.some(
    (other) => BY_NAME.get(other)?.[commandName] === "one of",
  );
  if (rule === "one of" && chosen) return false;
  const together = [...given, option];
  const type = given.includes("tun-type") ? parsed.tunnel.type : undefined;
  return (
    !listingsConflict(together) &&
    tunnelCanBe(together, parsed.forwarding, type)
  );
}

/** @param forwarding undefined, like `type`, if the line does not contain it yet */
function tunnelCanBe(
  given: Names,
  forwarding = TUNNELING,
  type: number | undefined,
): boolean {
  if (forwarding !== TUNNELING)
    return !TUNNEL_OPTIONS.some((option) => given.includes(option));
  const checksums = TUNNEL_CHECKSUMS.filter((option) => given.includes(option));
  if (checksums.length > 1) return false;
  const tunnel = type === undefined ? undefined : TUNNELS[type];
  if (!tunnel) return true;
  return (
    (tunnel.port || !given.includes("tun-port")) &&
    checksums.every((option) => tunnel.checksums.includes(option))
  );
}
