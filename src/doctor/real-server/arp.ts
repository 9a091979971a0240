import { formatAddress, INET, type Address } from "../../ipvs/address.js";
import type { Device, DeviceAddress } from "../../rtnl/model.js";
import { isWithin } from "../../rtnl/address-owners.js";
import { check } from "../check.js";
import type { Finding, Fix } from "../finding.js";
import { sysctlFix, sysctlNumber, type Sysctls } from "../sysctls.js";
import { addAddress, removeAddress } from "./commands.js";
import {
  askedOn,
  placesOf,
  virtualAddresses,
  type RealServer,
} from "./real-server.js";

/** A real server that answers for the virtual address, or announces it. */
export const arp = check(
  ["vip-answers", "vip-announced"],
  ["realServer", "sysctls"],
  ({ realServer, sysctls }) =>
    virtualAddresses(realServer).flatMap((address) => {
      const places = placesOf(realServer, address);
      if (places.length === 0) return [];
      // The kernel does not use the address, which is reported with the same fix.
      if (isUnused(realServer, address)) return [];
      return [
        ...answering(realServer, sysctls, address),
        ...announcing(realServer, sysctls, address),
      ];
    }),
);

/** Whether duplicate address detection has found the address elsewhere, so that this server neither uses it nor answers for it. */
function isUnused(server: RealServer, address: Address): boolean {
  return (
    server.method !== "masq" &&
    placesOf(server, address).every(({ own }) => own.duplicate)
  );
}

function answering(
  server: RealServer,
  sysctls: Sysctls,
  address: Address,
): Finding<"vip-answers">[] {
  return answerers(server, sysctls, address).map((device) => ({
    id: "vip-answers",
    subject: `${formatAddress(address)} on ${device.name}`,
    seen: answersBecause(server, sysctls, address, device),
    fix: silence(server, sysctls, address, device),
  }));
}

/** The interfaces on which this machine answers for a virtual address that it has. */
function answerers(
  server: RealServer,
  sysctls: Sysctls,
  address: Address,
): Device[] {
  const places = placesOf(server, address);
  const here = (device: Device) =>
    places.filter((place) => place.device.index === device.index);
  const answers = (device: Device) =>
    address.length === 4
      ? arpAnswers(
          levelOf(sysctls, "arp_ignore", device),
          places.map(({ own }) => own),
          here(device).map(({ own }) => own),
        )
      : // Neighbor discovery answers for the addresses of the interface alone.
        here(device).length > 0;
  // An interface with the address itself is always asked for it.
  const asked = new Set([
    ...askedOn(server, address),
    ...server.devices.filter(
      (device) => device.up && device.asksNeighbors && here(device).length > 0,
    ),
  ]);
  return [...asked].filter(answers);
}

/**
 * Whether ARP answers for an address.
 *
 * @param level arp_ignore, the larger of `all` and the interface's
 * @param everywhere where the machine has the address
 * @param here the ones of these on the interface that is asked
 * @see arp_ignore() in net/ipv4/arp.c
 */
export function arpAnswers(
  level: number,
  everywhere: readonly Pick<DeviceAddress, "scope" | "prefixBits">[],
  here: readonly Pick<DeviceAddress, "scope" | "prefixBits">[],
): boolean {
  switch (level) {
    case 1:
      return here.length > 0;
    case 2: // and the one who asks is in the address's network, of which a /32 has nobody else
      return here.some(({ prefixBits }) => prefixBits < 32);
    case 3:
      return everywhere.some(({ scope }) => scope !== "host");
    case 8:
      return false;
    default:
      return true;
  }
}

function answersBecause(
  server: RealServer,
  sysctls: Sysctls,
  address: Address,
  device: Device,
): string {
  const here = placesOf(server, address).some(
    (place) => place.device.index === device.index,
  );
  if (address.length !== 4) return "the interface itself has the address";
  const level = levelOf(sysctls, "arp_ignore", device);
  const value = `arp_ignore is ${level} there (the larger of all and ${device.name})`;
  return here ? `the interface itself has the address, and ${value}` : value;
}

function silence(
  server: RealServer,
  sysctls: Sysctls,
  address: Address,
  device: Device,
): Fix[] {
  const here = placesOf(server, address).filter(
    (place) => place.device.index === device.index,
  );
  const elsewhere = placesOf(server, address).some(
    (place) => !place.device.asksNeighbors,
  );
  return [
    ...(address.length === 4 ? raise(sysctls, "arp_ignore", device, 1) : []),
    ...(here.length > 0 && !elsewhere ? [addAddress(address)] : []),
    ...here.map(({ own }) => removeAddress(own, device)),
  ];
}

/** The settings that a machine needs before it gets a virtual address, so that it neither answers for it nor announces it. */
export function quiet(
  server: RealServer,
  sysctls: Sysctls,
  address: Address,
): Fix[] {
  if (address.length !== 4) return [];
  const scope = "global";
  return askedOn(server, address).flatMap((device) => [
    ...(arpAnswers(
      levelOf(sysctls, "arp_ignore", device),
      [{ scope, prefixBits: 32 }],
      [],
    )
      ? raise(sysctls, "arp_ignore", device, 1)
      : []),
    ...(announces(server, sysctls, address, device)
      ? raise(sysctls, "arp_announce", device, 2)
      : []),
  ]);
}

function announcing(
  server: RealServer,
  sysctls: Sysctls,
  address: Address,
): Finding<"vip-announced">[] {
  if (address.length !== 4) return [];
  return askedOn(server, address)
    .filter((device) => announces(server, sysctls, address, device))
    .map((device) => ({
      id: "vip-announced",
      subject: `${formatAddress(address)} on ${device.name}`,
      seen: `arp_announce is ${levelOf(sysctls, "arp_announce", device)} there (the larger of all and ${device.name})`,
      fix: raise(sysctls, "arp_announce", device, 2),
    }));
}

/**
 * Whether this machine uses a virtual address as the source when it asks its neighbors. At level 1 it does so only if
 * the address is in a network of the interface.
 *
 * @see arp_solicit() in net/ipv4/arp.c
 */
function announces(
  { addresses }: RealServer,
  sysctls: Sysctls,
  address: Address,
  device: Device,
): boolean {
  const level = levelOf(sysctls, "arp_announce", device);
  const fits = addresses.some(
    (own) =>
      own.family === INET &&
      own.device === device.index &&
      isWithin(address, own.peer ?? own.address, own.prefixBits),
  );
  return level === 0 || (level === 1 && fits);
}

/** The level that counts: the larger of the interface's and that for all. */
export function levelOf(
  sysctls: Sysctls,
  name: string,
  device: Device,
): number {
  return Math.max(
    sysctlNumber(sysctls, pathOf(name, "all")) ?? 0,
    sysctlNumber(sysctls, pathOf(name, device.name)) ?? 0,
  );
}

function pathOf(name: string, device: string): string {
  return `net/ipv4/conf/${device}/${name}`;
}

const EFFECTS = {
  arp_ignore:
    "the interface answers ARP only for addresses of its own, not for those of other interfaces",
  arp_announce:
    "the interface asks its neighbors only with an address of its own",
} as const;

/** Sets the level of an interface. Lowers the level for all if that is larger and has another meaning. */
function raise(
  sysctls: Sysctls,
  name: keyof typeof EFFECTS,
  device: Device,
  level: number,
): Fix[] {
  const all = pathOf(name, "all");
  const tooLarge = (sysctlNumber(sysctls, all) ?? 0) > level;
  return [
    sysctlFix(
      {
        ...(tooLarge ? { [all]: level } : {}),
        [pathOf(name, device.name)]: level,
      },
      EFFECTS[name],
    ),
  ];
}
