import { formatAddress, sameAddress, type Address } from "../ipvs/address.js";
import { isWithin } from "../rtnl/address-owners.js";
import type { Device, Route } from "../rtnl/model.js";
import type { Fix } from "./finding.js";
import { ROUNDS } from "./measure-path.js";
import { CLOSED_PORT, namesOf, type PathSize } from "./path-size.js";
import { shellWord } from "./shell.js";

/** A way that drops packets of the full size. */
export interface DroppingWay extends PathSize {
  readonly measure: Extract<PathSize["measure"], { outcome: "dropped" }>;
}

/** Ways that drop packets of the full size, with what removes that for all of them. */
export interface DroppingWays {
  readonly ways: readonly DroppingWay[];
  readonly full: number;
  /** The largest packet that gets through; undefined: none that was tried */
  readonly largest: number | undefined;
  /** The name of the interface */
  readonly device: string;
  readonly fix: readonly Fix[];
  /** Machines that packets of the full size reach by the same interface */
  readonly others: readonly Address[];
}

/** What is changed: the interface, a route, or the route to each machine. */
type Change =
  | { readonly what: "interface" }
  | { readonly what: "route"; readonly route: Route }
  | { readonly what: "hosts" }
  | { readonly what: "nothing" };

/**
 * Ways that drop large packets, those together that the same change repairs.
 *
 * @param effects what else a smaller size changes there
 */
export function droppingWays(
  sizes: readonly PathSize[],
  devices: readonly Device[],
  effects: (
    ways: readonly DroppingWay[],
    largest: number,
  ) => readonly string[] = () => [],
): DroppingWays[] {
  const groups = new Map<string, { change: Change; ways: DroppingWay[] }>();
  const dropping = sizes.filter(
    (size): size is DroppingWay => size.measure.outcome === "dropped",
  );
  for (const way of dropping) {
    const change = changeFor(way, sizes);
    const key = [
      ...[way.device, way.full, way.measure.largest, change.what],
      ...(change.what === "route" ? [targetText(change.route)] : []),
    ].join(" ");
    const group = groups.get(key);
    if (group) group.ways.push(way);
    else groups.set(key, { change, ways: [way] });
  }
  return [...groups.values()].flatMap(({ change, ways }) => {
    const [first] = ways;
    if (!first) return [];
    const { full, measure } = first;
    const { largest } = measure;
    const device =
      devices.find(({ index }) => index === first.device)?.name ?? "INTERFACE";
    return [
      {
        ...{ ways, full, largest, device },
        fix:
          largest === undefined
            ? []
            : fixesOf(change, ways, device, largest, effects(ways, largest)),
        others: carriedBy(first, sizes).map(({ to }) => to),
      },
    ];
  });
}

/** The ways by the same interface that carry packets at least as large. */
function carriedBy(
  { device, full }: PathSize,
  sizes: readonly PathSize[],
): PathSize[] {
  return sizes.filter(
    (one) =>
      one.device === device &&
      one.full >= full &&
      one.measure.outcome === "carried",
  );
}

function changeFor(way: DroppingWay, sizes: readonly PathSize[]): Change {
  const { route } = way;
  const [hop, ...more] = route?.hops ?? [];
  if (route?.type !== "unicast" || !hop || more.length > 0)
    return { what: "nothing" };
  const others = carriedBy(way, sizes);
  const isShared = others.some(({ to }) => isOn(route, to));
  const isDefault = route.prefixBits === 0;
  if (hop.gateway === undefined && route.mtu === undefined)
    return others.length === 0 ? { what: "interface" } : { what: "hosts" };
  return isShared || isDefault ? { what: "hosts" } : { what: "route", route };
}

/** Whether a route has an address. */
function isOn({ target, prefixBits }: Route, address: Address): boolean {
  return (
    target.length === address.length && isWithin(address, target, prefixBits)
  );
}

function fixesOf(
  change: Change,
  ways: readonly DroppingWay[],
  device: string,
  largest: number,
  effects: readonly string[],
): Fix[] {
  const name = shellWord(device);
  switch (change.what) {
    case "interface":
      return [
        {
          command: `ip link set dev ${name} mtu ${largest}`,
          effect: [
            `holds for all packets that leave by ${device}: none is larger than ${largest} bytes`,
            ...effects,
            `to put it back: ip link set dev ${name} mtu ${ways[0]?.full ?? ""}`,
          ].join("; "),
        },
      ];
    case "route":
      return [
        {
          command: `ip route change ${routeText(change.route, name)} mtu ${largest}`,
          effect: [
            `holds for all packets to ${targetText(change.route)}`,
            ...effects,
          ].join("; "),
        },
      ];
    case "hosts":
      return ways.flatMap(({ to, route }) =>
        route ? [hostRoute(to, route, name, largest)] : [],
      );
    case "nothing":
      return [];
  }
}

/** A route to one machine, for which alone packets are smaller. */
function hostRoute(
  to: Address,
  route: Route,
  name: string,
  largest: number,
): Fix {
  const host = `${formatAddress(to)}/${to.length * 8}`;
  const words = `${host}${viaText(route)} dev ${name}${sourceText(route)}${tableText(route)}`;
  // A route to the host itself is there already if its target is the host.
  const isThere = route.prefixBits === to.length * 8;
  return isThere
    ? {
        command: `ip route change ${routeText(route, name)} mtu ${largest}`,
        effect: `holds for packets to ${formatAddress(to)} only`,
      }
    : {
        command: `ip route add ${words} mtu ${largest}`,
        effect: `holds for packets to ${formatAddress(to)} only; it stays there if the other routes change; to put it back: ip route del ${host} dev ${name}${tableText(route)}`,
      };
}

/** RTPROT_* of linux/rtnetlink.h that `ip route` knows without its configuration */
const PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [2, "kernel"],
  [4, "static"],
]);
/** RTPROT_BOOT, which `ip route` sets if it is told nothing else */
const BOOT = 3;
/** RT_TABLE_MAIN */
const MAIN = 254;
/** The metric of IPv6 routes that have none */
const METRIC6 = 1024;

/** A route as `ip route` reads it, without its MTU. */
function routeText(route: Route, name: string): string {
  const { metric, protocol, target } = route;
  const usual = target.length === 4 ? 0 : METRIC6;
  return [
    `${targetText(route)}${viaText(route)} dev ${name}`,
    protocol === BOOT
      ? ""
      : ` proto ${PROTOCOLS.get(protocol) ?? String(protocol)}`,
    sourceText(route),
    metric === usual ? "" : ` metric ${metric}`,
    tableText(route),
  ].join("");
}

function targetText({ target, prefixBits }: Route): string {
  return `${formatAddress(target)}/${prefixBits}`;
}

function viaText({ hops: [hop], target }: Route): string {
  const gateway = hop?.gateway;
  if (!gateway) return "";
  const family = gateway.length === target.length ? "" : "inet6 ";
  return ` via ${family}${formatAddress(gateway)}`;
}

function sourceText({ source }: Route): string {
  return source ? ` src ${formatAddress(source)}` : "";
}

function tableText({ table }: Route): string {
  return table === MAIN ? "" : ` table ${table}`;
}

/** What was seen on ways that drop large packets. */
export function seenText({ full, largest }: DroppingWays): string {
  const there = "do not get there, and no ICMP message says so";
  return largest === undefined
    ? `packets of ${full} bytes ${there}; empty datagrams get there, and no packet of the other sizes that were tried`
    : `packets of ${full} bytes ${there}; packets of ${largest} bytes get there`;
}

/** What proves that ways drop large packets. */
export function droppingEvidence({
  full,
  ways,
  others,
  device,
}: DroppingWays): string[] {
  const apart = others.filter(
    (one) => !ways.some(({ to }) => sameAddress(to, one)),
  );
  return [
    `${ROUNDS} times in turn, a datagram of ${full} bytes to UDP port ${CLOSED_PORT} got no answer and an empty one got one (ICMP port unreachable)`,
    ...(apart.length > 0
      ? [`packets of ${full} bytes get to ${namesOf(apart)} by ${device}`]
      : []),
  ];
}
