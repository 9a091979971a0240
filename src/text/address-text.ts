import { formatAddress, type Address } from "../ipvs/address.js";
import type { TextBuilder } from "./text-builder.js";

/** Writes an address like formatAddress(). */
export function writeAddress(out: TextBuilder, address: Address): void {
  if (address.length === 4) out.dotted(address);
  else out.text(formatAddress(address));
}

/** Writes an address and a port: `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function writeEndpoint(
  out: TextBuilder,
  address: Address,
  port: number,
): void {
  if (address.length === 4) out.dotted(address);
  else out.text("[").text(formatAddress(address)).text("]");
  out.text(":").decimal(port);
}
