import type { Bond, Device } from "../../../rtnl/model.js";
import type { Fix } from "../../finding.js";
import { deviceOf, type Network } from "../../network.js";
import { shellWord } from "../../shell.js";

/** Why an interface carries no packets. */
export interface InterfaceFault {
  /** A part of a sentence */
  readonly seen: string;
  /** None if no command removes it, as with a cable */
  readonly fix: readonly Fix[];
}

/** A bond on a bridge of a VLAN is already rare. */
const MOST_LEVELS = 8;
/** BOND_MODE_* of linux/if_bonding.h that use every port of which they do not know that it is dead */
const SPREADING_MODES: ReadonlySet<number> = new Set([0, 2, 3]);

/** Looks at an interface and at what lies under it: the ports of a bond or bridge, the parent of a VLAN. */
export function faultBelow(
  network: Network,
  device: Device,
  level = 0,
): InterfaceFault | undefined {
  const { name, kind } = device;
  if (level > MOST_LEVELS) return undefined;
  if (!device.up) return { seen: `${name} is down`, fix: [setUp([device])] };
  if (kind === "bond") return bondFault(network, device, level);
  if (kind === "bridge") return bridgeFault(network, device);
  const parent = parentOf(network, device);
  const below = parent && faultBelow(network, parent, level + 1);
  if (parent && below)
    return {
      seen: `${name} is a VLAN of ${parent.name}, and ${below.seen}`,
      fix: below.fix,
    };
  return hasCarrier(device)
    ? undefined
    : { seen: `${name} has no carrier (cable, switch port)`, fix: [] };
}

/** The interface whose frames a VLAN interface uses, if it is in this network namespace. */
export function parentOf(
  network: Network,
  { kind, lower, lowerElsewhere }: Device,
): Device | undefined {
  return kind === "vlan" && lowerElsewhere !== true
    ? deviceOf(network, lower)
    : undefined;
}

/** Brings interfaces up. */
export function setUp(devices: readonly Device[]): Fix {
  return {
    command: devices
      .map(({ name }) => `ip link set ${shellWord(name)} up`)
      .join(" && "),
  };
}

/** The interfaces in a bond or bridge. */
export function portsOf(network: Network, { index }: Device): Device[] {
  return network.devices.filter(({ master }) => master === index);
}

/** Whether a bond never looks whether its ports work. */
export function isUnwatched(bond: Bond | undefined): boolean {
  return bond?.miimonMilliseconds === 0 && bond.arpIntervalMilliseconds === 0;
}

/** Makes a bond watch its ports. */
export function watchPorts({ name }: Device): Fix {
  return {
    command: `ip link set ${shellWord(name)} type bond miimon 100`,
    effect: `${name} looks at the carrier of its ports every 100 ms, leaves a port without one, and comes back to it by itself; until reboot: keep it where ${name} is configured (MIIMonitorSec=100ms of systemd-networkd, bond-miimon 100 of ifupdown)`,
  };
}

function hasCarrier({ state }: Device): boolean {
  return state !== "down" && state !== "lowerlayerdown";
}

function bondFault(
  network: Network,
  device: Device,
  level: number,
): InterfaceFault | undefined {
  const ports = portsOf(network, device);
  const { name, bond } = device;
  if (ports.length === 0)
    return { seen: `the bond ${name} has no port`, fix: [] };
  const alive = ports.filter((port) => port.up && hasCarrier(port));
  if (alive.length === 0) return deadPorts(`the bond ${name}`, ports);
  const active = deviceOf(network, bond?.active);
  const dead = ports.filter((port) => !alive.includes(port));
  const fix = isUnwatched(bond) ? [watchPorts(device)] : [];
  const unnoticed =
    fix.length > 0
      ? ": it does not notice that, because miimon and arp_interval are 0"
      : "";
  if (active && dead.includes(active))
    return {
      seen: `the bond ${name} sends by ${active.name}, which has no carrier, although ${namesOf(alive)} ${alive.length === 1 ? "has" : "have"} one${unnoticed}`,
      fix,
    };
  const isSpread = SPREADING_MODES.has(bond?.mode ?? 1);
  if (fix.length > 0 && isSpread && dead.length > 0)
    return {
      seen: `the bond ${name} also sends by ${namesOf(dead)}, without a carrier${unnoticed}`,
      fix,
    };
  return active ? faultBelow(network, active, level + 1) : undefined;
}

function bridgeFault(
  network: Network,
  device: Device,
): InterfaceFault | undefined {
  const ports = portsOf(network, device);
  const { name } = device;
  if (ports.length === 0)
    return { seen: `the bridge ${name} has no port`, fix: [] };
  return ports.some((port) => port.up && hasCarrier(port))
    ? undefined
    : deadPorts(`the bridge ${name}`, ports);
}

/** The fault of ports of which none works. */
function deadPorts(whole: string, ports: readonly Device[]): InterfaceFault {
  return ports.every(({ up }) => !up)
    ? {
        seen: `no port of ${whole} is up (${namesOf(ports)})`,
        fix: [setUp(ports)],
      }
    : {
        seen: `no port of ${whole} has a carrier (${namesOf(ports)})`,
        fix: [],
      };
}

function namesOf(devices: readonly Device[]): string {
  return devices.map(({ name }) => name).join(", ");
}
