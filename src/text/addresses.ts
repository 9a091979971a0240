import { formatAddress, type Address } from "../ipvs/address.js";
import type { TextBuilder } from "./builder.js";

/** Writes an address as `formatAddress` has it. */
export function writeAddress(out: TextBuilder, address: Address): void {
  if (address.length !== 4) {
    out.text(formatAddress(address));
    return;
  }
  out.decimal(address[0] ?? 0);
  for (let i = 1; i < 4; i++) out.text(".").decimal(address[i] ?? 0);
}

/** Writes `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function writeEndpoint(
  out: TextBuilder,
  address: Address,
  port: number,
): void {
  if (address.length === 4) writeAddress(out, address);
  else out.text("[").text(formatAddress(address)).text("]");
  out.text(":").decimal(port);
}
