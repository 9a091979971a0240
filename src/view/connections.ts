import { protocolOf, type Connection } from "../ipvs/connections.js";
import type { EndpointName } from "../ipvs/model.js";

/** The lines above a listing of connections. @param engine with the columns of the persistence engine */
export function connectionTitles(engine: boolean): string {
  const columns =
    "pro expire state       source             virtual            destination";
  return `IPVS connection entries\n${columns}${engine ? "        pe name          pe_data" : ""}\n`;
}

/** A connection of `-Lc`. */
export function connectionLine(
  connection: Connection,
  name: EndpointName,
  engine: boolean,
): string {
  const protocol = protocolOf(connection);
  const { expiresSeconds, persistenceEngine, persistenceData } = connection;
  const destination = name(connection.server, connection.serverPort, protocol);
  const columns = [
    connection.protocol.padEnd(3),
    clock(expiresSeconds).padEnd(6),
    connection.state.padEnd(11),
    name(connection.client, connection.clientPort, protocol).padEnd(18),
    name(connection.virtual, connection.virtualPort, protocol).padEnd(18),
    ...(engine && persistenceEngine !== undefined
      ? [
          destination.padEnd(16),
          persistenceEngine.padEnd(18),
          persistenceData ?? "",
        ]
      : [destination]),
  ];
  return `${columns.join(" ")}\n`;
}

/** Minutes and seconds. */
function clock(seconds: number): string {
  const parts = [Math.floor(seconds / 60), seconds % 60];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}
