import type { Address } from "../ipvs/address.js";
import { protocolOf, type Connection } from "../ipvs/connections.js";
import type { EndpointName } from "../ipvs/model.js";
import { writeEndpoint } from "../text/addresses.js";
import type { TextBuilder } from "../text/builder.js";

/** How the classic listing shows connections. */
export interface ConnectionStyle {
  /** Undefined for addresses and ports in numbers */
  readonly name?: EndpointName | undefined;
  /** Show what the persistence engine knows */
  readonly engine: boolean;
}

/** The lines above a listing of connections. @param engine with the columns of the persistence engine */
export function connectionTitles(engine: boolean): string {
  const columns =
    "pro expire state       source             virtual            destination";
  return `IPVS connection entries\n${columns}${engine ? "        pe name          pe_data" : ""}\n`;
}

/** Writes a connection of `-Lc`, a line. */
export function writeConnection(
  out: TextBuilder,
  connection: Connection,
  { name, engine }: ConnectionStyle,
): void {
  const { expiresSeconds, persistenceEngine, persistenceData } = connection;
  out.column().text(connection.protocol).pad(3);
  out.decimal(Math.floor(expiresSeconds / 60), 2);
  out.text(":").decimal(expiresSeconds % 60, 2);
  out.pad(6).text(connection.state).pad(11);
  writeEnd(out, connection, connection.client, connection.clientPort, name);
  out.pad(18);
  writeEnd(out, connection, connection.virtual, connection.virtualPort, name);
  out.pad(18);
  writeEnd(out, connection, connection.server, connection.serverPort, name);
  if (engine && persistenceEngine !== undefined) {
    out.pad(16).text(persistenceEngine);
    out.pad(18).text(persistenceData ?? "");
  }
  out.text("\n");
}

/** An end of a connection: `192.0.2.1:80`, `[2001:db8::1]:80`, or by name */
function writeEnd(
  out: TextBuilder,
  connection: Connection,
  address: Address,
  port: number,
  name: EndpointName | undefined,
): void {
  if (name) out.text(name(address, port, protocolOf(connection)));
  else writeEndpoint(out, address, port);
}
