import { familyOf, type Address } from "../../ipvs/address.js";
import { CONNECTION_STATES, isTemplate } from "../../ipvs/connection-states.js";
import { protocolOf, type Connection } from "../../ipvs/connections.js";
import { TRANSPORTS, type EndpointName } from "../../ipvs/model.js";
import { formatSelector } from "../../grammar/selector.js";
import { writeAddress, writeEndpoint } from "../../text/address-text.js";
import type { TextBuilder } from "../../text/text-builder.js";
import { escapeControls, toBytes } from "../../cli/escape.js";

/** Returns the name of an address with a port. Undefined: endpoints are written in numbers. */
export type Naming = EndpointName | undefined;

/** Writes the service as a SERVICE argument names it: `tcp/192.0.2.1:80`, `fwm/7`. */
export function writeService(
  out: TextBuilder,
  connection: Pick<Connection, "protocol" | "virtual" | "virtualPort">,
  name?: Naming,
): void {
  const { virtual, virtualPort } = connection;
  if (connection.protocol === "IP") {
    const firewallMark = markOf(virtual);
    out.text(formatSelector({ family: familyOf(virtual), firewallMark }));
    return;
  }
  out.text(protocolWord(connection)).text("/");
  if (name) out.text(safe(name(virtual, virtualPort, protocolOf(connection))));
  else writeEndpoint(out, virtual, virtualPort);
}

/** Writes the client and its port. The client of a template has no port. */
export function writeClient(
  out: TextBuilder,
  connection: Pick<Connection, "client" | "clientPort" | "state">,
  name?: Naming,
): void {
  const { client, clientPort } = connection;
  const template = isTemplate(connection);
  if (name) {
    const text = safe(name(client, clientPort, undefined));
    out.text(template ? text.replace(/:0$/, "") : text);
  } else if (template) writeAddress(out, client);
  else writeEndpoint(out, client, clientPort);
}

/** Writes the real server and its port. */
export function writeServer(
  out: TextBuilder,
  connection: Pick<Connection, "protocol" | "server" | "serverPort">,
  name?: Naming,
): void {
  const { server, serverPort } = connection;
  if (name) out.text(safe(name(server, serverPort, protocolOf(connection))));
  else writeEndpoint(out, server, serverPort);
}

/** The kernel's name of a state. Unexpected characters become question marks. */
export function stateText(state: string): string {
  return CONNECTION_STATES.has(state) ? state : state.replace(/[^\w!-]/g, "?");
}

/** Writes minutes and seconds: `14:59`. */
export function writeClock(out: TextBuilder, seconds: number): void {
  out
    .decimal(Math.floor(seconds / 60), 2)
    .text(":")
    .decimal(seconds % 60, 2);
}

/** The firewall mark that a template has in the place of the virtual address. */
export function markOf({ buffer, byteOffset }: Address): number {
  return new DataView(buffer, byteOffset).getUint32(0);
}

/** The protocol as a SERVICE argument names it: `tcp`. */
export function protocolWord(connection: Pick<Connection, "protocol">): string {
  const protocol = protocolOf(connection);
  return protocol === undefined
    ? connection.protocol.toLowerCase().replace(/[^a-z0-9]/g, "?")
    : TRANSPORTS[protocol];
}

/** A name as UTF-8, safe for a terminal. */
function safe(name: string): string {
  return toBytes(escapeControls(name));
}
