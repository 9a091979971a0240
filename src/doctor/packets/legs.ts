import type { Device } from "../../rtnl/model.js";
import { distance, type HalfFlow, type TcpHalf } from "./half-flow.js";

/** The packets of a flow on a part of its way: those that come in as requests, those that leave as answers … */
export interface Leg {
  readonly packets: number;
  /** The indexes of the interfaces */
  readonly devices: readonly number[];
  readonly flows: readonly HalfFlow[];
  /** Milliseconds since 1970; 0 if there are no packets */
  readonly first: number;
  readonly last: number;
  /** Of the interface with the most packets */
  readonly tcp: TcpHalf | undefined;
}

/** Half-flows as one. */
export function legOf(flows: readonly HalfFlow[]): Leg {
  const [main] = flows.toSorted((a, b) => b.packets - a.packets);
  return {
    packets: flows.reduce((sum, one) => sum + one.packets, 0),
    devices: [...new Set(flows.map(({ device }) => device))],
    flows,
    first: flows.length === 0 ? 0 : Math.min(...flows.map((one) => one.first)),
    last: Math.max(0, ...flows.map((one) => one.last)),
    tcp: main?.tcp,
  };
}

/** Legs of several flows as one. Their TCP connections are different ones. */
export function sumOf(legs: readonly Leg[]): Leg {
  return { ...legOf(legs.flatMap(({ flows }) => flows)), tcp: undefined };
}

/**
 * Half-flows without those of lower interfaces: a bond, a bridge or a VLAN shows the same packets again.
 *
 * @param flows those that only differ in their interfaces
 */
export function withoutLowerInterfaces(
  flows: readonly HalfFlow[],
  devices: readonly Device[],
): readonly HalfFlow[] {
  if (flows.length < 2) return flows;
  return flows.filter(
    ({ device }) =>
      !flows.some(
        (other) =>
          other.device !== device && isAbove(other.device, device, devices, 0),
      ),
  );
}

/** More layers do not occur. */
const MOST_LAYERS = 8;

function isAbove(
  upper: number,
  lower: number,
  devices: readonly Device[],
  depth: number,
): boolean {
  if (depth === MOST_LAYERS) return false;
  return devices
    .filter(({ index }) => directlyAbove(lower, devices).includes(index))
    .some(
      ({ index }) =>
        index === upper || isAbove(upper, index, devices, depth + 1),
    );
}

/** The bond, bridge or VRF that contains an interface, and the VLANs and the like upon it. */
function directlyAbove(lower: number, devices: readonly Device[]): number[] {
  const master = devices.find(({ index }) => index === lower)?.master;
  const upon = devices.filter(
    (one) =>
      one.lower === lower &&
      one.lowerElsewhere !== true &&
      one.kind !== "veth" &&
      one.index !== lower,
  );
  return [
    ...(master === undefined ? [] : [master]),
    ...upon.map(({ index }) => index),
  ];
}

/** Whether a connection began while packets were captured. One packet of UDP is as new as any other. */
export function isNew({ tcp }: Leg): boolean {
  return tcp === undefined || tcp.opens.count > 0;
}

/** The MTU of the interfaces of a leg: the largest. */
export function mtuOf(
  { devices: indexes }: Leg,
  devices: readonly Device[],
): number | undefined {
  const sizes = devices
    .filter(({ index }) => indexes.includes(index))
    .map(({ mtu }) => mtu);
  return sizes.length === 0 ? undefined : Math.max(...sizes);
}

/** The highest number that was acknowledged, in several half-connections of the same direction. */
export function acknowledgedBy(legs: readonly Leg[]): number | undefined {
  let highest: number | undefined;
  for (const { flows } of legs)
    for (const { tcp } of flows) {
      const number = tcp?.acknowledged;
      if (number === undefined) continue;
      if (highest === undefined || distance(highest, number) > 0)
        highest = number;
    }
  return highest;
}
