import { parseIpv4Loosely } from "../grammar/endpoint.js";
import type { ParseNotes } from "../grammar/parse.js";
import { formatAddress, INET6, parseIpv4 } from "../ipvs/address.js";
import type { Change } from "../ipvs/client.js";
import { PERSISTENT } from "../ipvs/model.js";
import type { Finding } from "./finding-positions.js";
import { ignoredPort } from "./ignored-port.js";
import { ipv6WithPort } from "./usage-findings.js";

/** Warnings about how a line is written, which the table does not show. */
export function* lineWarnings(
  command: Change,
  words: readonly string[],
  { parsed, where }: ParseNotes,
): Generator<Finding> {
  const marked = parsed?.firewallMark !== 0;
  for (const [option, part] of [
    ["service-address", "service"],
    ["real-server", "address"],
  ] as const) {
    if (marked && part === "service") continue;
    const word = words[where.get(option) ?? -1] ?? "";
    const address = unusualAddress(word);
    if (address !== undefined)
      yield {
        id: "unusual-address",
        message: `this address is read as ${address}`,
        advice: `if this is correct, write ${address}`,
        part,
      };
    const withPort = ipv6WithPort(word);
    const port = parsed?.port ?? 0;
    // For a real server, only the port of the service is suspicious: 2001:db8::1:10 can be an address.
    if (
      withPort !== undefined &&
      (part === "service" ? port === 0 : withPort.endsWith(`]:${port}`))
    )
      yield {
        id: "ipv6-without-brackets",
        message: `${word} is read as an address without a port`,
        advice: `if the last number is the port, write ${withPort}`,
        part,
      };
  }
  if (command.command === "add-server" || command.command === "edit-server") {
    const written = parsed?.writtenServerPort;
    if (written !== undefined && written !== command.server.port)
      yield ignoredPort(written, command.server.port);
  }
  if (command.command === "add-service" || command.command === "edit-service") {
    const mask = where.get("netmask") ?? Infinity;
    const { service, settings } = command;
    if (
      service.family === INET6 &&
      settings.flags & PERSISTENT &&
      parsed?.netmask === 128 &&
      mask < (where.get("service-address") ?? 0)
    )
      yield {
        id: "mask-lost",
        message: "the mask is ignored, because the IPv6 address comes after it",
        advice: "write -M after the service",
        part: "netmask",
      };
  }
}

/** What inet_aton(3) reads from an address that is not four decimal numbers; undefined for all others. */
function unusualAddress(word: string): string | undefined {
  const value = /^--[a-z-]+=(.*)$/.exec(word)?.[1] ?? word;
  const host = value.replace(/:[^:]*$/, "");
  if (!/^[0-9][0-9a-fA-FxX.]*$/.test(host) || parseIpv4(host)) return undefined;
  const address = parseIpv4Loosely(host);
  return address && formatAddress(address);
}
