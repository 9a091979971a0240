import {
  CLIENT,
  SERVER,
  VIRTUAL,
  type ConnectionEnd,
  type ConnectionReader,
} from "../ipvs/connection-reader.js";
import { protocolOf } from "../ipvs/connections.js";
import type { EndpointName } from "../ipvs/model.js";
import { writeEndpoint } from "../text/address-text.js";
import type { TextBuilder } from "../text/text-builder.js";

const ENDS = [CLIENT, VIRTUAL, SERVER] as const;

/** The format of a connection listing. */
export interface ConnectionStyle {
  /** Formats endpoints; undefined for numbers */
  readonly name?: EndpointName | undefined;
  /** Show the persistence data */
  readonly engine: boolean;
}

/**
 * The title lines of a connection listing.
 *
 * @param engine with the columns of the persistence engine
 */
export function connectionTitles(engine: boolean): string {
  const columns =
    "pro expire state       source             virtual            destination";
  return `IPVS connection entries\n${columns}${engine ? "        pe name          pe_data" : ""}\n`;
}

/** Writes one line of `-Lc`; nothing if a field of the connection is malformed. */
export function writeConnection(
  out: TextBuilder,
  line: ConnectionReader,
  { name, engine }: ConnectionStyle,
): void {
  const { length } = out;
  const { expiresSeconds } = line;
  line.writeProtocol(out.column());
  out.pad(3);
  out.decimal(Math.floor(expiresSeconds / 60), 2);
  out.text(":").decimal(expiresSeconds % 60, 2);
  line.writeState(out.pad(6));
  let width = 11;
  let whole = expiresSeconds >= 0;
  for (const end of ENDS) {
    out.pad(width);
    whole &&= name
      ? writeNamed(out, line, end, name)
      : writeNumeric(out, line, end);
    width = 18;
  }
  if (engine) writeEngine(out, line);
  if (whole) out.text("\n");
  else out.cut(length);
}

function writeEngine(out: TextBuilder, line: ConnectionReader): void {
  const { persistenceEngine, persistenceData } = line.persistence;
  if (persistenceEngine === undefined) return;
  out.pad(16).text(persistenceEngine);
  out.pad(18).text(persistenceData ?? "");
}

/** Writes `192.0.2.1:80` or `[2001:db8::1]:80`. @returns false if the endpoint is malformed */
function writeNumeric(
  out: TextBuilder,
  line: ConnectionReader,
  end: ConnectionEnd,
): boolean {
  const port = line.port(end);
  if (port < 0) return false;
  const ipv4 = line.ipv4(end);
  if (!Number.isNaN(ipv4)) {
    out.dottedNumber(ipv4).text(":").decimal(port);
    return true;
  }
  const address = line.address(end);
  if (address) writeEndpoint(out, address, port);
  return address !== undefined;
}

/** Writes an endpoint by name. @returns false if it is malformed */
function writeNamed(
  out: TextBuilder,
  line: ConnectionReader,
  end: ConnectionEnd,
  name: EndpointName,
): boolean {
  const [address, port] = [line.address(end), line.port(end)];
  if (!address || port < 0) return false;
  out.text(name(address, port, protocolOf(line)));
  return true;
}
