import { INET6, type Address } from "../ipvs/address.js";
import {
  SCTP,
  TCP,
  UDP,
  type ServerKey,
  type EndpointName,
  type Protocol,
  type ServiceKey,
} from "../ipvs/model.js";
import { writeEndpoint } from "../text/address-text.js";
import type { TextBuilder } from "../text/text-builder.js";

/** The maximum width of an IPv4 service or server. Longer names are truncated, but IPv6 is not. */
export const NAME_COLUMNS = 28;

const PREFIXES = { [TCP]: "TCP  ", [UDP]: "UDP  ", [SCTP]: "SCTP " } as const;

/**
 * Writes a service's name: `TCP  192.0.2.1:80`, `FWM  7` or `FWM  7 IPv6`.
 *
 * @param name formats endpoints; undefined for numbers
 */
export function writeServiceName(
  out: TextBuilder,
  key: ServiceKey,
  name: EndpointName | undefined,
): void {
  if ("firewallMark" in key) {
    // The original prints the mark as a signed number.
    out.text("FWM  ").integer(key.firewallMark | 0);
    if (key.family === INET6) out.text(" IPv6");
    return;
  }
  const { address, port, protocol } = key;
  out.text(PREFIXES[protocol]);
  writeName(out, address, port, protocol, name);
}

/** Writes a real server's name. @param name formats endpoints; undefined for numbers */
export function writeServerName(
  out: TextBuilder,
  service: ServiceKey,
  { address, port }: ServerKey,
  name: EndpointName | undefined,
): void {
  const protocol = "firewallMark" in service ? undefined : service.protocol;
  writeName(out, address, port, protocol, name);
}

function writeName(
  out: TextBuilder,
  address: Address,
  port: number,
  protocol: Protocol | undefined,
  name: EndpointName | undefined,
): void {
  if (!name) {
    writeEndpoint(out, address, port); // is never too wide
    return;
  }
  const shown = name(address, port, protocol);
  out.text(address.length === 4 ? shown.slice(0, NAME_COLUMNS) : shown);
}
