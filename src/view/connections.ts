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

/** Writes a connection of `-Lc`, a line; nothing if a field of it is at fault. */
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

/** `192.0.2.1:80` or `[2001:db8::1]:80`. @returns false if the end is at fault */
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

/** The same by name */
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
