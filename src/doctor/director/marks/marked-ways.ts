import { sameAddress, type Address } from "../../../ipvs/address.js";
import type { ServiceWithServers } from "../../../ipvs/model.js";
import type { NetworkClient, RouteQuery } from "../../../rtnl/client.js";
import { NetworkRefusal } from "../../../rtnl/errors.js";
import type { Rule } from "../../../rtnl/model.js";
import { compareAddresses } from "../../firewall/compare-addresses.js";
import type { AddressRange, Ruleset } from "../../firewall/ruleset.js";
import {
  ANYWHERE,
  nextHopTo,
  type MarkedWay,
  type Network,
  type Way,
} from "../../network.js";
import {
  markingRules,
  targetsOf,
  type FirewallMarkKey,
} from "./marking-rules.js";

/** Only so many addresses of a block are tried. */
const MOST_ADDRESSES = 256;
/** Only so many routes are asked for, of all rules together. */
const MOST_QUERIES = 512;

/** The network with the routes of packets that carry the marks of services, to the destinations that firewall rules mark. */
export async function withMarkedWays(
  client: Pick<NetworkClient, "routeTo" | "rules">,
  network: Network,
  firewall: Ruleset,
  table: readonly Pick<ServiceWithServers, "key">[],
): Promise<Network> {
  const rules = await rulesOf(client);
  const wanted = rangesToTry(firewall, table);
  if (wanted.length === 0) return { ...network, rules };
  const marked: MarkedWay[] = [];
  let left = MOST_QUERIES;
  const ask = async (query: RouteQuery): Promise<Way | undefined> =>
    left-- > 0 ? await client.routeTo(query) : undefined;
  for (const { key, range } of wanted) {
    if (left <= 0) break;
    // A rule for an incoming interface does not apply to a lookup without one.
    const devices = rules.some(
      (one) => one.family === key.family && one.incoming !== undefined,
    )
      ? devicesOf(network, key)
      : [];
    const found = await tryRange(ask, key, devices, range, network);
    if (found) marked.push(found);
  }
  const isPartial = marked.length < wanted.length;
  return { ...network, rules, marked, isMarkedPartial: isPartial };
}

/** @returns undefined if it is not known whether an address of the range is local */
async function tryRange(
  ask: (query: RouteQuery) => Promise<Way | undefined>,
  { family, firewallMark: mark }: FirewallMarkKey,
  devices: readonly number[],
  range: AddressRange,
  network: Network,
): Promise<MarkedWay | undefined> {
  const way = await ask({ to: range.first, mark });
  if (way === undefined) return undefined;
  let isLocal = isLocalWay(way);
  for (const to of addressesIn(range, network)) {
    if (isLocal) break;
    const queries: RouteQuery[] = [
      ...(compareAddresses(to, range.first) === 0 ? [] : [{ to, mark }]),
      ...devices.map((incoming) => ({
        ...{ to, mark, incoming },
        from: ANYWHERE[family],
      })),
    ];
    for (const query of queries) {
      const one = await ask(query);
      if (one === undefined) return undefined;
      isLocal = isLocalWay(one);
      if (isLocal) break;
    }
  }
  return { family, mark, ...range, isLocal, way };
}

function isLocalWay(way: Way): boolean {
  return typeof way === "object" && way.type === "local";
}

/** None on a kernel without them. */
async function rulesOf(client: Pick<NetworkClient, "rules">): Promise<Rule[]> {
  try {
    return await client.rules();
  } catch (error) {
    if (error instanceof NetworkRefusal) return [];
    throw error;
  }
}

function rangesToTry(
  firewall: Ruleset,
  table: readonly Pick<ServiceWithServers, "key">[],
): { key: FirewallMarkKey; range: AddressRange }[] {
  const found = new Map<
    string,
    { key: FirewallMarkKey; range: AddressRange }
  >();
  for (const { key } of table) {
    if (!("firewallMark" in key)) continue;
    for (const { base, conditions } of markingRules(firewall, key)) {
      // Later chains set the mark when the route is known already.
      if (base.base?.hook !== "prerouting") continue;
      for (const range of targetsOf(conditions) ?? [])
        found.set(
          `${key.family} ${key.firewallMark} ${range.first.join()} ${range.last.join()}`,
          { key, range },
        );
    }
  }
  return [...found.values()];
}

/** The interfaces by which clients anywhere are reached, and those with addresses. */
function devicesOf(network: Network, { family }: FirewallMarkKey): number[] {
  const hop = nextHopTo(network, ANYWHERE[family]);
  const near = network.devices.filter(
    ({ index, up, asksNeighbors }) =>
      up &&
      asksNeighbors &&
      network.addresses.some(
        (own) => own.device === index && own.family === family,
      ),
  );
  return [
    ...new Set([
      ...(hop ? [hop.device] : []),
      ...near.slice(0, MOST_DEVICES).map(({ index }) => index),
    ]),
  ];
}

const MOST_DEVICES = 8;

/** This machine's own addresses in a block, and others in it: all of them if it is small. */
function addressesIn(range: AddressRange, network: Network): Address[] {
  const own = network.addresses.flatMap(({ address }) =>
    isBetween(address, range) ? [address] : [],
  );
  const some = own.slice(0, MOST_ADDRESSES);
  for (
    let next: Address | undefined = range.first;
    next && some.length < MOST_ADDRESSES && isBetween(next, range);
    next = after(next)
  )
    some.push(next);
  const isLastIn = some.some((one) => sameAddress(one, range.last));
  return isLastIn ? some : [...some, range.last];
}

/** Whether an address is in a range. */
export function isBetween(
  address: Address,
  { first, last }: AddressRange,
): boolean {
  return (
    address.length === first.length &&
    compareAddresses(first, address) <= 0 &&
    compareAddresses(address, last) <= 0
  );
}

/** The next address; undefined after the last one of all. */
function after(address: Address): Address | undefined {
  const next = Uint8Array.from(address);
  for (let at = next.length - 1; at >= 0; at--) {
    const byte = next[at] ?? 0;
    next[at] = (byte + 1) & 0xff;
    if (byte < 0xff) return next;
  }
  return undefined;
}

/** A range as a block, `192.0.2.64/28`: the number of bits; undefined if it is none. */
export function prefixBitsOf({
  first,
  last,
}: AddressRange): number | undefined {
  const all = first.length * 8;
  let bits = 0;
  while (bits < all && bitOf(first, bits) === bitOf(last, bits)) bits++;
  for (let at = bits; at < all; at++)
    if (bitOf(first, at) !== 0 || bitOf(last, at) !== 1) return undefined;
  return bits;
}

function bitOf(address: Address, at: number): number {
  return ((address[at >> 3] ?? 0) >> (7 - (at & 7))) & 1;
}
