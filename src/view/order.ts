import type { Address } from "../ipvs/address.js";
import type { DestinationKey, ServiceKey } from "../ipvs/model.js";

type Compare<T> = (a: T, b: T) => number;

/**
 * Sorts as the C library's qsort(3) did up to and beyond 2.36: a merge sort of the first n/2 and the
 * other elements, the left one first on ties.
 *
 * The comparisons below are not transitive, so the result depends on the order in which they are made:
 * the same listing needs the same algorithm.
 */
export function mergeSort<T>(items: readonly T[], compare: Compare<T>): T[] {
  if (items.length < 2) return [...items];
  const middle = Math.floor(items.length / 2);
  const left = mergeSort(items.slice(0, middle), compare);
  const right = mergeSort(items.slice(middle), compare);
  const merged: T[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length && r < right.length) {
    const a = left[l] as T;
    const b = right[r] as T;
    if (compare(a, b) <= 0) {
      merged.push(a);
      l++;
    } else {
      merged.push(b);
      r++;
    }
  }
  while (l < left.length) merged.push(left[l++] as T);
  while (r < right.length) merged.push(right[r++] as T);
  return merged;
}

/** Services as they are listed: by mark, family, protocol, address, port. */
export function sortServices<T extends { readonly key: ServiceKey }>(
  services: readonly T[],
): T[] {
  return mergeSort(services, (a, b) => compareServices(a.key, b.key));
}

/** Real servers as they are listed: by address, port. */
export function sortServers<T extends { readonly key: DestinationKey }>(
  servers: readonly T[],
): T[] {
  return mergeSort(servers, (a, b) => compareServers(a.key, b.key));
}

function compareServices(a: ServiceKey, b: ServiceKey): number {
  const markOf = (key: ServiceKey) =>
    "firewallMark" in key ? key.firewallMark : 0;
  const marks = (markOf(a) - markOf(b)) | 0;
  if (marks !== 0) return marks;
  if (a.family !== b.family) return a.family - b.family;
  if ("firewallMark" in a || "firewallMark" in b) return 0;
  if (a.protocol !== b.protocol) return a.protocol - b.protocol;
  return compareAddresses(a.address, b.address) || a.port - b.port;
}

function compareServers(a: DestinationKey, b: DestinationKey): number {
  return compareAddresses(a.address, b.address) || a.port - b.port;
}

/** By 32-bit words, whose difference wraps around: 200.0.0.1 comes before 10.0.0.1, and that before 100.0.0.1. */
function compareAddresses(a: Address, b: Address): number {
  const length = Math.max(a.length, b.length);
  for (let at = 0; at < length; at += 4) {
    const difference = (wordAt(a, at) - wordAt(b, at)) | 0;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The word at a byte; IPv4 counts as the first word of IPv6, with zeros after. */
function wordAt(address: Address, at: number): number {
  if (at >= address.length) return 0;
  let word = 0;
  for (let i = at; i < at + 4; i++) word = word * 256 + (address[i] ?? 0);
  return word;
}
