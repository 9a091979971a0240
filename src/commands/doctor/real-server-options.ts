import { METHODS } from "../../doctor/real-server/methods.js";
import type {
  Circumstances,
  VirtualService,
} from "../../doctor/real-server/real-server.js";
import {
  formatAddress,
  isMulticast,
  parseAddress,
  type Address,
} from "../../ipvs/address.js";
import type { Io } from "../../runtime/io.js";
import { UsageError } from "../../cli/errors.js";
import type { Arguments } from "../../cli/parser.js";
import { readService } from "../../cli/selectors.js";
import { escapeControls } from "../../cli/escape.js";

/** Options about a real server. */
const OF_REAL_SERVERS = [
  "method",
  "tun-port",
  "director",
  "server",
  "hardware-address",
];

/**
 * What the command line says about this machine as a real server; undefined if it is a director.
 *
 * @throws {UsageError} if options cannot be combined, or have a wrong value
 */
export async function readCircumstances(
  given: Arguments,
  io: Pick<Io, "names">,
): Promise<Circumstances | undefined> {
  const names = given.list("real-server");
  if (names.length === 0) {
    const alone = given.flag("tun-csum")
      ? "tun-csum"
      : OF_REAL_SERVERS.find((name) => given.text(name) !== undefined);
    if (alone === undefined) return undefined;
    throw wrong(`--${alone} goes with --real-server, which names the services`);
  }
  if (given.positionals.length > 0)
    throw wrong(
      `services of a director and --real-server do not go together; write --real-server ${[...names, ...given.positionals].join(",")}`,
    );
  const services: VirtualService[] = [];
  for (const text of names) {
    const selector = await readService(text, io.names);
    if ("firewallMark" in selector)
      throw wrong(
        `${text} has no address; name the virtual address with --real-server`,
      );
    if (!isPossible(selector.address))
      throw wrong(
        `${text} cannot be a virtual address: it is loopback, any address or multicast`,
      );
    services.push(selector);
  }
  const method = METHODS.find((one) => one === given.text("method"));
  const tunnelPort = given.number("tun-port");
  if (tunnelPort !== undefined && method !== "gue")
    throw wrong("--tun-port goes with --method gue");
  const tunnelChecksum = given.flag("tun-csum");
  if (tunnelChecksum && method !== "gre")
    throw wrong("--tun-csum goes with --method gre");
  const hardwareAddress = hardwareAddressOf(given.text("hardware-address"));
  if (hardwareAddress && given.text("server") === undefined)
    throw wrong(
      "--hardware-address goes with --server, whose hardware address it is",
    );
  return {
    services,
    method,
    tunnelPort,
    tunnelChecksum,
    director: addressOf(given, "director"),
    client: addressOf(given, "client"),
    server: endpointOf(given.text("server")),
    hardwareAddress,
  };
}

/** The address and port of a masqueraded server. */
function endpointOf(text: string | undefined): Circumstances["server"] {
  if (text === undefined) return undefined;
  const [, host = "", port = ""] =
    /^\[?([0-9a-fA-F:.]+?)\]?:([0-9]{1,5})$/.exec(text) ?? [];
  const address = parseAddress(host);
  if (address && Number(port) <= 65535) return { address, port: Number(port) };
  throw wrong(
    `${escapeControls(text)} is no address and port, which --server expects`,
  );
}

/** 6 bytes, and 20 of InfiniBand */
function hardwareAddressOf(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9a-f]{2}(:[0-9a-f]{2}){5,19}$/i.test(text))
    return Uint8Array.from(text.split(":"), (byte) => parseInt(byte, 16));
  throw wrong(
    `${escapeControls(text)} is no hardware address, which --hardware-address expects, such as 02:00:5e:10:00:01`,
  );
}

/** Whether an address can be a virtual address: neither loopback, nor any address, nor multicast. */
function isPossible(address: Address): boolean {
  const text = formatAddress(address);
  return !/^(127\.|0\.|::1?$)/.test(text) && !isMulticast(address);
}

/** The address that an option has; undefined if it is not given. @throws {UsageError} if it is none */
export function addressOf(
  given: Arguments,
  option: string,
): Address | undefined {
  const text = given.text(option);
  if (text === undefined) return undefined;
  const address = parseAddress(text);
  if (address) return address;
  throw wrong(`${escapeControls(text)} is no address, which --${option} wants`);
}

function wrong(fault: string): UsageError {
  return new UsageError(escapeControls(fault), "doctor");
}
