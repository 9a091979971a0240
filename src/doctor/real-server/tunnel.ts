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

/** A real server that does not unpack the packets of a tunnel. */
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
  // This interface comes with the module. It takes all packets that no other tunnel takes.
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

/** GUE packets are UDP datagrams, which the kernel accepts at some ports. */
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
      seen: `the kernel accepts GUE at no UDP port${others}`,
      fix: [
        { command: `modprobe ${six ? "fou6" : "fou"}` },
        { command: `ip ${six ? "-6 " : ""}fou add port PORT gue` },
      ],
    },
  ];
}

/** Why a tunnel does not accept packets of the director; undefined if it does. */
function obstacle(
  { addresses, director }: RealServer,
  { up, tunnel }: Device,
): string | undefined {
  if (!up) return "is down";
  const { local, remote } = tunnel ?? {};
  if (local && !addresses.some((own) => sameAddress(own.address, local)))
    return `is for packets to ${formatAddress(local)}, which is not an address of this machine`;
  if (remote && director && !sameAddress(remote, director))
    return `is for packets from ${formatAddress(remote)}, and the director is ${formatAddress(director)}`;
  return undefined;
}
