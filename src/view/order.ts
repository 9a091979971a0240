import type { Address } from "../ipvs/address.js";
import type { ServerKey, ServiceKey } from "../ipvs/model.js";

type Compare<T> = (a: T, b: T) => number;

/**
 * Sorts like qsort(3) of the C library up to version 2.36 and later: a merge sort of the first n/2
 * elements and the rest, which keeps the order of equal elements.
 *
 * The comparisons below are not transitive, so the result depends on which elements are compared.
 * The same listing needs the same algorithm.
 */
export function mergeSort<T>(items: readonly T[], compare: Compare<T>): T[] {
  const sorted = items.slice();
  sortPart(sorted, 0, sorted.length, compare, items.slice());
  return sorted;
}

/** Sorts the items from `start` to `end` in place. @param spare scratch space of the same length */
function sortPart<T>(
  items: T[],
  start: number,
  end: number,
  compare: Compare<T>,
  spare: T[],
): void {
  if (end - start < 2) return;
  const middle = start + Math.floor((end - start) / 2);
  sortPart(items, start, middle, compare, spare);
  sortPart(items, middle, end, compare, spare);
  for (let at = start; at < middle; at++) spare[at] = items[at] as T;
  let left = start;
  let right = middle;
  let at = start;
  while (left < middle && right < end) {
    const first = compare(spare[left] as T, items[right] as T) <= 0;
    items[at++] = (first ? spare[left++] : items[right++]) as T;
  }
  while (left < middle) items[at++] = spare[left++] as T;
}

/** Sorts services as in a listing: by mark, family, protocol, address, port. */
export function sortServices<T extends { readonly key: ServiceKey }>(
  services: readonly T[],
): T[] {
  return mergeSort(services, compareServices);
}

/** Sorts real servers as in a listing: by address, port. */
export function sortServers<T extends { readonly key: ServerKey }>(
  servers: readonly T[],
): T[] {
  return mergeSort(servers, compareServers);
}

function compareServices(
  { key: a }: { readonly key: ServiceKey },
  { key: b }: { readonly key: ServiceKey },
): number {
  const marks = (markOf(a) - markOf(b)) | 0;
  if (marks !== 0) return marks;
  if (a.family !== b.family) return a.family - b.family;
  if ("firewallMark" in a || "firewallMark" in b) return 0;
  if (a.protocol !== b.protocol) return a.protocol - b.protocol;
  return compareAddresses(a.address, b.address) || a.port - b.port;
}

function markOf(key: ServiceKey): number {
  return "firewallMark" in key ? key.firewallMark : 0;
}

function compareServers(
  { key: a }: { readonly key: ServerKey },
  { key: b }: { readonly key: ServerKey },
): number {
  return compareAddresses(a.address, b.address) || a.port - b.port;
}

/**
 * Compares 32-bit words by their difference, which wraps around: 200.0.0.1 < 10.0.0.1 < 100.0.0.1.
 */
function compareAddresses(a: Address, b: Address): number {
  const length = Math.max(a.length, b.length);
  for (let at = 0; at < length; at += 4) {
    const difference = (wordAt(a, at) - wordAt(b, at)) | 0;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The 32-bit word at an offset. IPv4 counts as the first word of IPv6, followed by zeros. */
function wordAt(address: Address, at: number): number {
  if (at >= address.length) return 0;
  return (
    ((address[at] ?? 0) << 24) |
    ((address[at + 1] ?? 0) << 16) |
    ((address[at + 2] ?? 0) << 8) |
    (address[at + 3] ?? 0)
  );
}
