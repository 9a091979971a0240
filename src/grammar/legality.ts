import {
  TUNNELLING,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_IPIP,
} from "../ipvs/model.js";
import type { Verb } from "./command.js";
import { UsageFault } from "./faults.js";
import { OPTIONS, type OptionRow } from "./options.js";

/** Every option's name once, in the order of the checks, with the commands that it goes with. */
const BY_NAME: readonly (readonly [string, OptionRow["with"]])[] = [
  ...new Map(
    OPTIONS.flatMap((row) => (row.option ? [[row.option, row.with]] : [])),
  ),
];

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

function fault(sentence: string): never {
  throw new UsageFault("combination", sentence);
}

/**
 * Checks the options of a command against the table.
 *
 * @param given the names of the options on the line
 * @throws {UsageFault} `combination`, for the first option in the order of the table that does not fit
 */
export function checkOptions(verb: Verb, given: ReadonlySet<string>): void {
  let chosen: string | undefined;
  for (const [option, commands] of BY_NAME) {
    const rule = commands[verb];
    if (!given.has(option)) {
      if (rule === "must")
        fault(
          `You need to supply the '${option}' option for the '${verb}' command`,
        );
    } else if (rule === undefined) {
      fault(`Illegal '${option}' option with the '${verb}' command`);
    } else if (rule === "one of") {
      if (chosen !== undefined)
        fault(
          `The option '${option}' conflicts with the '${chosen}' option in the '${verb}' command`,
        );
      chosen = option;
    }
  }
}

/** @throws {UsageFault} `combination` when a listing is asked for in two ways at once */
export function checkListing(given: ReadonlySet<string>): void {
  for (const [formats, subjects] of LIST_CONFLICTS)
    if (
      formats.some((option) => given.has(option)) &&
      subjects.some((option) => given.has(option))
    )
      fault("options conflicts in the list command");
}

/**
 * Checks the tunnel options of a real server.
 *
 * @param type a TUNNEL_* number
 * @throws {UsageFault} `combination`
 */
export function checkTunnel(
  given: ReadonlySet<string>,
  forwarding: number,
  type: number,
): void {
  const options = ["tun-type", "tun-port", ...TUNNEL_CHECKSUMS];
  if (forwarding !== TUNNELLING) {
    if (options.some((option) => given.has(option)))
      fault("Tunnel options conflict with forward method");
    return;
  }
  const tunnel = TUNNELS[type];
  if (!tunnel) return;
  const has = given.has("tun-port");
  if (tunnel.port && !has)
    fault(
      `You need to supply the 'tun-port' option for the '${tunnel.name}' tunnel type`,
    );
  if (!tunnel.port && has)
    fault(`Illegal 'tun-port' option with the '${tunnel.name}' tunnel type`);
  let chosen: string | undefined;
  for (const option of TUNNEL_CHECKSUMS) {
    if (!given.has(option)) continue;
    if (!tunnel.checksums.includes(option))
      fault(`Illegal '${option}' option with the '${tunnel.name}' tunnel type`);
    if (chosen !== undefined)
      fault(
        `The option '${option}' conflicts with the '${chosen}' option in the '${tunnel.name}' tunnel type`,
      );
    chosen = option;
  }
}
