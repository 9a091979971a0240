import {
  formatAddress,
  INET,
  sameAddress,
  type Family,
} from "../../ipvs/address.js";
import type { Device } from "../../rtnl/model.js";
import { check } from "../check.js";
import type { Finding, Fix } from "../finding.js";
import { shellWord } from "../shell.js";
import { isTunnel } from "./methods.js";
import {
  decapsulatorFor,
  guePorts,
  INSIDE,
  virtualAddresses,
  type Decapsulator,
  type RealServer,
} from "./real-server.js";

/** A real server that does not unpack the packets of a tunnel. */
export const tunnel = check(
  ["no-decapsulation", "no-gue-port", "gue-port-differs"],
  ["realServer"],
  ({ realServer }) => {
    const { method } = realServer;
    if (!isTunnel(method)) return [];
    const families = new Map(
      virtualAddresses(realServer).map((address) => [address.length, address]),
    );
    const decapsulators = Array.from(families.values(), (address) =>
      decapsulatorFor(realServer, method, address),
    );
    // The port depends only on the family outside.
    const outers = new Map(decapsulators.map((one) => [one.outer, one]));
    return [
      ...decapsulators.flatMap((one) => undecapsulated(realServer, one)),
      ...(method === "gue" ? [...outers.values()] : []).flatMap((one) => [
        ...portless(realServer, one),
        ...otherPort(realServer, one),
      ]),
    ];
  },
);

function undecapsulated(
  server: RealServer,
  decapsulator: Decapsulator,
): Finding<"no-decapsulation">[] {
  const { kind, fallback, module, inner } = decapsulator;
  const devices = server.devices.filter((device) => device.kind === kind);
  const taker = mostSpecific(
    devices.filter((device) => obstacle(server, device, inner) === undefined),
  );
  if (taker) return wrongChecksums(server, taker, decapsulator);
  const foreign = meantForAnother(server, devices, decapsulator);
  const obstacles = devices.map((device) => ({
    name: device.name,
    why: obstacle(server, device, inner),
  }));
  // This interface comes with the module. It takes all packets that no other tunnel takes.
  const there = devices.find(({ name }) => name === fallback);
  // As it comes, ip6tnl0 takes only IPv6 packets.
  const narrow =
    kind === "ip6tnl" && inner === INET && (there?.tunnel?.inside ?? 41) === 41;
  return [
    {
      id: "no-decapsulation",
      subject: familiesText(decapsulator),
      seen:
        obstacles.length === 0
          ? `there is no interface of kind ${kind}`
          : obstacles.map(({ name, why }) => `${name} ${why ?? ""}`).join("; "),
      fix: foreign ?? [
        ...(there ? [] : [{ command: `modprobe ${module}` }]),
        ...(narrow
          ? [{ command: `ip -6 tunnel change ${fallback} mode any` }]
          : []),
        { command: `ip link set ${fallback} up` },
      ],
    },
  ];
}

/** The command that lets a tunnel take packets of the director, if it is meant for another one and has no other obstacle. */
function meantForAnother(
  server: RealServer,
  devices: readonly Device[],
  { kind, fallback, inner }: Decapsulator,
): Fix[] | undefined {
  const { director, method, tunnelChecksum = false } = server;
  if (!director) return undefined;
  const fits = devices.flatMap((device) => {
    const { name, tunnel } = device;
    const remote = tunnel?.remote;
    if (name === fallback || !remote || sameAddress(remote, director))
      return [];
    if (method === "gre" && tunnel.wantsChecksum !== tunnelChecksum) return [];
    const changed = { ...device, tunnel: { ...tunnel, remote: director } };
    return obstacle(server, changed, inner) === undefined
      ? [{ name, remote: formatAddress(remote) }]
      : [];
  });
  const [only, ...others] = fits;
  // Of several, nobody knows which one was meant.
  if (!only || others.length > 0) return undefined;
  const to = formatAddress(director);
  return [
    {
      command: `ip link set ${shellWord(only.name)} type ${kind} remote ${to}`,
      effect: `${only.name} then takes packets from ${to}, and none from ${only.remote}: if a director with that address is still in use, add another tunnel for this one instead; correct the network's configuration, too`,
    },
  ];
}

/** The tunnel that gets a packet if several match: ends that are set count, the remote one more than the local one. */
function mostSpecific(devices: readonly Device[]): Device | undefined {
  const rank = ({ tunnel }: Device) =>
    (tunnel?.remote ? 2 : 0) + (tunnel?.local ? 1 : 0);
  return [...devices].sort((a, b) => rank(b) - rank(a))[0];
}

/** A GRE tunnel takes packets with checksums or packets without them. It drops the others, and no other tunnel gets them. */
function wrongChecksums(
  { method, tunnelChecksum = false }: RealServer,
  { name, tunnel }: Device,
  decapsulator: Decapsulator,
): Finding<"no-decapsulation">[] {
  if (method !== "gre" || !tunnel || tunnel.wantsChecksum === tunnelChecksum)
    return [];
  const { kind, fallback } = decapsulator;
  const finding = {
    id: "no-decapsulation",
    subject: familiesText(decapsulator),
    seen: tunnelChecksum
      ? `${name} takes only packets without checksums, and the director sends checksums (--tun-csum)`
      : `${name} takes only packets with checksums, and the director sends none (it has no --tun-csum)`,
    ...(tunnelChecksum ? {} : UNLESS_CHECKSUMS),
  } as const;
  // The interface of the module cannot be changed.
  return name === fallback
    ? [{ ...finding, cure: NO_CHECKSUM, fix: [] }]
    : [
        {
          ...finding,
          fix: [
            {
              command: `ip link set ${shellWord(name)} type ${kind} ${tunnelChecksum ? "icsum" : "noicsum"}`,
              effect: `this interface takes only packets ${tunnelChecksum ? "with" : "without"} checksums, also those of others who use it`,
            },
          ],
        },
      ];
}

/** Who examines this machine perhaps does not know what the director sends. */
const UNLESS_CHECKSUMS = {
  certainty: "likely",
  evidence: [
    "if the director has --tun-csum for this server, this is no fault: name --tun-csum here, too",
  ],
} as const;

const NO_CHECKSUM =
  "Let the director send no checksums: print the server's line there with 'ipvsadm -S -n', and run it with -e in place of -a and without --tun-csum. Or add a tunnel interface with icsum between the addresses of the director and of this machine.";

/** `IPv4`, or `IPv6 in IPv4` if the families inside and outside differ. */
function familiesText({ outer, inner }: Decapsulator): string {
  const name = (family: Family) => (family === INET ? "IPv4" : "IPv6");
  return outer === inner ? name(inner) : `${name(inner)} in ${name(outer)}`;
}

/** GUE packets are UDP datagrams, which the kernel accepts at some ports. */
function portless(
  server: RealServer,
  { outer }: Decapsulator,
): Finding<"no-gue-port">[] {
  if (guePorts(server, outer).length > 0) return [];
  const { fouPorts, tunnelPort } = server;
  const six = outer !== INET;
  const others = fouPorts.some(({ encapsulation }) => encapsulation === "gue")
    ? " of this family"
    : "";
  return [
    {
      id: "no-gue-port",
      subject: six ? "IPv6" : "IPv4",
      seen: `the kernel accepts GUE at no UDP port${others}`,
      fix: [
        { command: `modprobe ${six ? "fou6" : "fou"}` },
        ...(tunnelPort === undefined
          ? [
              {
                command: addPort("PORT", outer),
                effect: "PORT is the port of --tun-port on the director",
              },
            ]
          : acceptGue(server, tunnelPort, outer)),
      ],
    },
  ];
}

/** The director sends to a port where the kernel does not accept GUE, but at others it does. */
function otherPort(
  server: RealServer,
  { outer }: Decapsulator,
): Finding<"gue-port-differs">[] {
  const { tunnelPort } = server;
  const ports = guePorts(server, outer);
  if (tunnelPort === undefined || ports.length === 0) return [];
  if (ports.includes(tunnelPort)) return [];
  const accepted = ports.join(", ");
  const plain = hasPlainFou(server, tunnelPort, outer)
    ? `; at ${tunnelPort} it accepts FOU, which has no header of GUE`
    : "";
  return [
    {
      id: "gue-port-differs",
      subject: outer === INET ? "IPv4" : "IPv6",
      seen: `the director sends to UDP port ${tunnelPort}, and the kernel accepts GUE at ${accepted}${plain}`,
      evidence: [
        `if the director's port is wrong: change it there instead. 'ipvsadm -S -n' there prints the server's line; run it with -e in place of -a and with --tun-port ${ports.join(" or ")}, because -e resets what it does not name`,
      ],
      fix: acceptGue(server, tunnelPort, outer),
    },
  ];
}

/** What was not compared if the port of the director is not known, with the ports at which the kernel accepts GUE. */
export function portsToCompare(server: RealServer): string[] {
  const { method, tunnelPort } = server;
  if (method !== "gue" || tunnelPort !== undefined) return [];
  const outers = new Set(
    virtualAddresses(server).map(
      (address) => decapsulatorFor(server, method, address).outer,
    ),
  );
  const ports = [...outers].flatMap((outer) => guePorts(server, outer));
  return ports.length === 0
    ? []
    : [
        `whether the director sends GUE to a port where this kernel accepts it: ${ports.join(", ")} (name the port of the director with --tun-port)`,
      ];
}

/** The commands after which the kernel accepts GUE at a port. */
function acceptGue(server: RealServer, port: number, outer: Family): Fix[] {
  const add = { command: addPort(port, outer) };
  if (!hasPlainFou(server, port, outer)) return [add];
  return [
    {
      command: `ip ${outer === INET ? "" : "-6 "}fou del port ${port}`,
      effect: `tunnels with FOU at port ${port} no longer work`,
    },
    add,
  ];
}

function addPort(port: number | string, outer: Family): string {
  return `ip ${outer === INET ? "" : "-6 "}fou add port ${port} gue`;
}

/** Whether the kernel unpacks what comes to a port as FOU, without GUE's header. */
function hasPlainFou(
  { fouPorts }: RealServer,
  port: number,
  outer: Family,
): boolean {
  return fouPorts.some(
    (one) =>
      one.port === port && one.family === outer && one.encapsulation === "fou",
  );
}

/** Why a tunnel does not accept packets of the director; undefined if it does. */
function obstacle(
  { addresses, director }: RealServer,
  { up, tunnel }: Device,
  inner: Family,
): string | undefined {
  if (!up) return "is down";
  const { local, remote, inside } = tunnel ?? {};
  if (local && !addresses.some((own) => sameAddress(own.address, local)))
    return `is for packets to ${formatAddress(local)}, which is not an address of this machine`;
  if (remote && director && !sameAddress(remote, director))
    return `is for packets from ${formatAddress(remote)}, and the director is ${formatAddress(director)}`;
  if (tunnel?.wants)
    return `takes only packets with ${tunnel.wants.join(" and ")}, which IPVS does not send`;
  if (inside !== undefined && inside !== INSIDE[inner])
    return `takes no ${inner === INET ? "IPv4" : "IPv6"} packets (see its mode in ip -d link)`;
  return undefined;
}
