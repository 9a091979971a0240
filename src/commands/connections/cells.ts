import { INET, INET6 } from "../../ipvs/address.js";
import { CONNECTION_STATES, isTemplate } from "../../ipvs/connection-states.js";
import { protocolOf, type Connection } from "../../ipvs/connections.js";
import { TRANSPORTS, type EndpointName } from "../../ipvs/model.js";
import { formatSelector } from "../../grammar/selector.js";
import { writeAddress, writeEndpoint } from "../../text/address-text.js";
import type { TextBuilder } from "../../text/text-builder.js";
import { escapeControls, toBytes } from "../../cli/escape.js";

/** Where ends of connections have names; undefined: they are shown in numbers. */
export type Naming = EndpointName | undefined;

/** Writes `tcp/192.0.2.1:80` or `fwm/7`, as other subcommands read it; with names, those stand for the numbers. */
export function writeService(
  out: TextBuilder,
  connection: Pick<Connection, "protocol" | "virtual" | "virtualPort">,
  name?: Naming,
): void {
  const { virtual, virtualPort } = connection;
  if (connection.protocol === "IP") {
    const firewallMark = new DataView(
      virtual.buffer,
      virtual.byteOffset,
    ).getUint32(0);
    const family = virtual.length === 4 ? INET : INET6;
    out.text(formatSelector({ family, firewallMark }));
    return;
  }
  out.text(protocolWord(connection)).text("/");
  if (name) out.text(named(name(virtual, virtualPort, protocolOf(connection))));
  else writeEndpoint(out, virtual, virtualPort);
}

/** Writes the client with its port; that of a template has none. */
export function writeClient(
  out: TextBuilder,
  connection: Pick<Connection, "client" | "clientPort" | "state">,
  name?: Naming,
): void {
  const { client, clientPort } = connection;
  const template = isTemplate(connection);
  if (name) {
    const shown = named(name(client, clientPort, undefined));
    out.text(template ? shown.replace(/:0$/, "") : shown);
  } else if (template) writeAddress(out, client);
  else writeEndpoint(out, client, clientPort);
}

/** Writes the real server. */
export function writeServer(
  out: TextBuilder,
  connection: Pick<Connection, "protocol" | "server" | "serverPort">,
  name?: Naming,
): void {
  const { server, serverPort } = connection;
  if (name) out.text(named(name(server, serverPort, protocolOf(connection))));
  else writeEndpoint(out, server, serverPort);
}

/** The kernel's word, in which nothing but letters and the like is let through. */
export function stateWord(state: string): string {
  return CONNECTION_STATES.has(state) ? state : state.replace(/[^\w!-]/g, "?");
}

/** Minutes and seconds, `14:59`. */
export function writeClock(out: TextBuilder, seconds: number): void {
  out
    .decimal(Math.floor(seconds / 60), 2)
    .text(":")
    .decimal(seconds % 60, 2);
}

function protocolWord(connection: Pick<Connection, "protocol">): string {
  const protocol = protocolOf(connection);
  return protocol === undefined
    ? connection.protocol.toLowerCase().replace(/[^a-z0-9]/g, "?")
    : TRANSPORTS[protocol];
}

/** A name as bytes, fit for a terminal. */
function named(name: string): string {
  return toBytes(escapeControls(name));
}
