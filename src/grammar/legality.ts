import {
  TUNNELING,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_IPIP,
} from "../ipvs/model.js";
import type { CommandName } from "./command.js";
import type { Draft } from "./draft.js";
import { UsageFault } from "./usage-errors.js";
import { OPTIONS, type ClassicOption } from "./options.js";

/** Every option's name, in the order of the checks, with the commands that it goes with: all rows of one name agree. */
const BY_NAME = new Map<string, ClassicOption["with"]>();
for (const { option, with: commands } of OPTIONS)
  if (option !== undefined) BY_NAME.set(option, commands);

/** Options by which a listing cannot be both. */
const LIST_CONFLICTS = [
  [
    ["stats", "rate", "thresholds"],
    ["connection", "timeout", "daemon"],
  ],
  [["persistent-conn"], ["timeout", "daemon"]],
] as const;

/** How many options a command must have; of most there is none. */
const NEEDED = new Map<CommandName, number>();
for (const commands of BY_NAME.values())
  for (const [commandName, rule] of Object.entries(commands) as [
    CommandName,
    string,
  ][])
    if (rule === "must")
      NEEDED.set(commandName, (NEEDED.get(commandName) ?? 0) + 1);

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

/** Names of options. They are few, and there may be tens of thousands of lines: no set is made. */
type Names = readonly string[];

function fault(sentence: string, option?: string): never {
  throw new UsageFault("combination", sentence, undefined, option);
}

/**
 * Checks the options of a command against the table.
 *
 * @param given the names of the options on the line
 * @throws {UsageFault} `combination`, for the first option in the order of the table that does not fit
 */
export function checkOptions(commandName: CommandName, given: Names): void {
  if (!fits(commandName, given)) refuse(commandName, given);
}

/** Whether all options that are given go with a command, and none is missing. */
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

/** Says what does not fit. @throws {UsageFault} */
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

/** @throws {UsageFault} `combination` when a listing is asked for in two ways at once */
export function checkListing(given: Names): void {
  if (listsTwice(given)) fault("options conflicts in the list command");
}

function listsTwice(given: Names): boolean {
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
 * Whether an option may still join a line that is being written: what is missing is no fault yet, only what cannot
 * be together is.
 *
 * @param given the names of the options on the line
 * @param draft what they have said, and the option itself if it takes no value
 */
export function mayJoin(
  { option, with: commands }: ClassicOption,
  commandName: CommandName,
  given: Names,
  draft: Pick<Draft, "forwarding" | "tunnel">,
): boolean {
  if (option === undefined) return true;
  const rule = commands[commandName];
  if (rule === undefined || given.includes(option)) return false;
  const chosen = given.some(
    (other) => BY_NAME.get(other)?.[commandName] === "one of",
  );
  if (rule === "one of" && chosen) return false;
  const together = [...given, option];
  const type = given.includes("tun-type") ? draft.tunnel.type : undefined;
  return !listsTwice(together) && tunnelMayBe(together, draft.forwarding, type);
}

/** @param forwarding and `type` are undefined as long as the line does not say */
function tunnelMayBe(
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
