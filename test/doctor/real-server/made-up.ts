import { examine } from "../../../src/doctor/check.js";
import { REAL_SERVER_CHECKS } from "../../../src/doctor/real-server/checks.js";
import type { Listener } from "../../../src/doctor/real-server/listeners.js";
import type { Way } from "../../../src/doctor/network.js";
import type {
  RealServer,
  VirtualService,
} from "../../../src/doctor/real-server/real-server.js";
import { INET, INET6 } from "../../../src/ipvs/address.js";
import type { Device, DeviceAddress, Route } from "../../../src/rtnl/model.js";
import { address } from "../../fixtures/entries.js";
import { sysctls, told } from "../made-up.js";

export const VIP = "192.0.2.100";

/** An interface; its name tells most of it. */
export function device(
  index: number,
  name: string,
  change: Partial<Device> = {},
): Device {
  const alone = /^(lo|dummy|tunl|gre|tunnel)/.test(name);
  return {
    index,
    name,
    kind: undefined,
    up: true,
    loopback: name === "lo",
    asksNeighbors: !alone,
    flags: 1,
    mtu: 1500,
    state: "up",
    master: undefined,
    lower: undefined,
    hardwareAddress: undefined,
    tunnel: undefined,
    ...change,
  };
}

export const LO = device(1, "lo");
export const LAN = device(2, "lan");

/** `ADDRESS/BITS` of an interface. */
export function owned(
  { index }: Device,
  text: string,
  change: Partial<DeviceAddress> = {},
): DeviceAddress {
  const [host = "", bits] = text.split("/");
  const bytes = address(host);
  return {
    family: bytes.length === 4 ? INET : INET6,
    device: index,
    address: bytes,
    peer: undefined,
    prefixBits: Number(bits),
    scope: "global",
    secondary: false,
    tentative: false,
    duplicate: false,
    ...change,
  };
}

/** A route to an interface, over a router if there is one. */
export function route(
  type: Route["type"],
  { index }: Device,
  router?: string,
  change: Partial<Route> = {},
): Route {
  return {
    family: INET,
    type,
    table: 254,
    scope: "global",
    protocol: 3,
    target: address("0.0.0.0"),
    prefixBits: 0,
    hops: [
      {
        device: index,
        gateway: router === undefined ? undefined : address(router),
      },
    ],
    source: undefined,
    metric: 0,
    mtu: undefined,
    errno: undefined,
    ...change,
  };
}

export const LOCAL = route("local", LO);

/** The service of a virtual address: any, unless it is said. */
export function service(
  text = VIP,
  change: Partial<VirtualService> = {},
): VirtualService {
  return {
    address: address(text),
    protocol: undefined,
    port: undefined,
    ...change,
  };
}

/** A real server on which all is well but for what is changed. */
export function realServer(change: Partial<RealServer> = {}): RealServer {
  const services = change.services ?? [service()];
  return {
    services,
    method: undefined,
    tunnelPort: undefined,
    director: undefined,
    server: undefined,
    client: undefined,
    devices: [LO, LAN],
    addresses: [owned(LO, `${VIP}/32`), owned(LAN, "192.0.2.11/24")],
    routes: [],
    ways: services.map((one) => ({
      service: one,
      there: LOCAL,
      back: undefined,
      arrivals: [],
    })),
    fouPorts: [],
    outer: [],
    ...change,
  };
}

/** The same, with these ways of its one service. */
export function withWays(
  ways: { there?: Way; back?: Way; arrivals?: RealServer["outer"] },
  change: Partial<RealServer> = {},
): RealServer {
  const server = realServer(change);
  const [one = service()] = server.services;
  const { there = LOCAL, back, arrivals = [] } = ways;
  return { ...server, ways: [{ service: one, there, back, arrivals }] };
}

/** The settings of a machine that keeps quiet. */
export const QUIET = {
  "net.ipv4.conf.all.arp_ignore": 0,
  "net.ipv4.conf.lan.arp_ignore": 1,
  "net.ipv4.conf.all.arp_announce": 0,
  "net.ipv4.conf.lan.arp_announce": 2,
};

/** What is found, each in the words of `told`. */
export function foundOn(
  server: RealServer,
  settings: Readonly<Record<string, number>> = {},
  listeners: readonly Listener[] = [],
): string[][] {
  const facts = {
    realServer: server,
    listeners,
    sysctls: sysctls({ ...QUIET, ...settings }),
  };
  return examine(REAL_SERVER_CHECKS, facts).findings.map(told);
}

/** What is seen of the findings. */
export function seenOn(
  server: RealServer,
  settings: Readonly<Record<string, number>> = {},
  listeners: readonly Listener[] = [],
): string[] {
  const facts = {
    realServer: server,
    listeners,
    sysctls: sysctls({ ...QUIET, ...settings }),
  };
  return examine(REAL_SERVER_CHECKS, facts).findings.map(({ seen }) => seen);
}
