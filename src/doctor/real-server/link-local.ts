import type { Address } from "../../ipvs/address.js";

/**
 * The hardware address from which a link-local IPv6 address is formed: `fe80::5054:ff:fe0a:1` from `52:54:00:0a:00:01`. undefined if it
 * is formed in another way.
 *
 * @see RFC 4291, appendix A: modified EUI-64
 */
export function hardwareAddressIn(address: Address): Uint8Array | undefined {
  const [first = 0, second = 0] = address;
  const isLinkLocal =
    address.length === 16 && first === 0xfe && (second & 0xc0) === 0x80;
  if (!isLinkLocal || address[11] !== 0xff || address[12] !== 0xfe)
    return undefined;
  const [flags = 0, ...rest] = address.subarray(8, 11);
  // The bit that tells local from universal addresses is inverted.
  return Uint8Array.of(flags ^ 2, ...rest, ...address.subarray(13));
}
