import {
  familyOf,
  formatAddress,
  INET,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import type { Device } from "../../rtnl/model.js";
import { check } from "../check.js";
import type { Finding } from "../finding.js";
import { isTunnel, type TunnelMethod } from "./methods.js";
import {
  decapsulators,
  virtualAddresses,
  type RealServer,
} from "./real-server.js";

/** A real server that is sent packets in a tunnel, and does not take them out. */
export const tunnel = check(
  ["no-decapsulation", "no-gue-port"],
  ["realServer"],
  ({ realServer }) => {
    const { method } = realServer;
    if (!isTunnel(method)) return [];
    const families = new Map(
      virtualAddresses(realServer).map((address) => [address.length, address]),
    );
    return [...families.values()].flatMap((address) => [
      ...undecapsulated(realServer, method, address),
      ...(method === "gue" ? portless(realServer, address) : []),
    ]);
  },
);

function undecapsulated(
  server: RealServer,
  method: TunnelMethod,
  address: Address,
): Finding<"no-decapsulation">[] {
  const { kind, fallback, module } = decapsulators(method, address);
  const devices = server.devices.filter((device) => device.kind === kind);
  if (devices.some((device) => obstacle(server, device) === undefined))
    return [];
  const obstacles = devices.map(
    (device) => `${device.name} ${obstacle(server, device) ?? ""}`,
  );
  // This one takes what no other takes, whatever its ends. It comes with the module.
  const there = devices.some(({ name }) => name === fallback);
  return [
    {
      id: "no-decapsulation",
      subject: address.length === 4 ? "IPv4" : "IPv6",
      seen:
        obstacles.length === 0
          ? `there is no interface of kind ${kind}`
          : obstacles.join("; "),
      fix: [
        ...(there ? [] : [{ command: `modprobe ${module}` }]),
        { command: `ip link set ${fallback} up` },
      ],
    },
  ];
}

/** Packets of GUE are in datagrams, which the kernel takes at some ports. */
function portless(
  { guePorts }: RealServer,
  address: Address,
): Finding<"no-gue-port">[] {
  const family = familyOf(address);
  if (guePorts.some((one) => one.family === family)) return [];
  const six = family !== INET;
  const others = guePorts.length > 0 ? " of this family" : "";
  return [
    {
      id: "no-gue-port",
      subject: six ? "IPv6" : "IPv4",
      seen: `the kernel takes GUE at no UDP port${others}`,
      fix: [
        { command: `modprobe ${six ? "fou6" : "fou"}` },
        { command: `ip ${six ? "-6 " : ""}fou add port PORT gue` },
      ],
    },
  ];
}

/** Why a tunnel takes nothing from the director; undefined if it does. */
function obstacle(
  { addresses, director }: RealServer,
  { up, tunnel }: Device,
): string | undefined {
  if (!up) return "is down";
  const { local, remote } = tunnel ?? {};
  if (local && !addresses.some((own) => sameAddress(own.address, local)))
    return `is for packets to ${formatAddress(local)}, which is no address of this machine`;
  if (remote && director && !sameAddress(remote, director))
    return `is for packets from ${formatAddress(remote)}, and the director is ${formatAddress(director)}`;
  return undefined;
}
