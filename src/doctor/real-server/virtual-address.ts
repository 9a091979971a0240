import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import { check } from "../check.js";
import type { Finding, Fix } from "../finding.js";
import type { Way } from "../network.js";
import { shellWord } from "../shell.js";
import { sysctlFix, sysctlNumber, type Sysctls } from "../sysctls.js";
import { quiet } from "./arp.js";
import { addAddress, removeAddress } from "./commands.js";
import {
  endpointName,
  mayBeMasqueraded,
  placesOf,
  virtualAddresses,
  type RealServer,
} from "./real-server.js";

/** A virtual address that is missing, or that brings a whole network with it. */
export const virtualAddress = check(
  ["vip-absent", "vip-with-network"],
  ["realServer", "sysctls"],
  ({ realServer, sysctls }) =>
    virtualAddresses(realServer).flatMap((address) => [
      ...(realServer.method === "masq"
        ? []
        : absent(realServer, sysctls, address).map((finding) =>
            mayBeMasqueraded(realServer, address)
              ? unlessMasqueraded(finding, realServer, address)
              : finding,
          )),
      ...tooWide(realServer, address),
    ]),
);

function absent(
  server: RealServer,
  sysctls: Sysctls,
  address: Address,
): Finding<"vip-absent">[] {
  const ways = server.ways.find(({ service }) => service.address === address);
  if (!ways || isLocal(ways.there)) return [];
  const places = placesOf(server, address);
  const duplicates = places.filter(({ own }) => own.duplicate);
  const stale = duplicates.map(({ own, device }) => removeAddress(own, device));
  const names = duplicates.map(({ device }) => device.name);
  return [
    {
      id: "vip-absent",
      subject: formatAddress(address),
      seen:
        names.length > 0
          ? `${names.join(" and ")} ${names.length === 1 ? "has" : "have"} it, but the kernel does not use it there: duplicate address detection found it at another station, such as the director`
          : `no interface has it, and ${wayInWords(server, ways.there)}`,
      evidence: [
        ...(names.length > 0
          ? [
              "it belongs on lo: on an interface with neighbors this server would answer for it as soon as the other station is away",
            ]
          : []),
        ...mistyped(server, address),
        ...(allowIpv6(sysctls, address).length > 0
          ? ["lo accepts no IPv6 address: net.ipv6.conf.lo.disable_ipv6 is 1"]
          : []),
      ],
      fix: [
        ...quiet(server, sysctls, address),
        ...stale,
        ...allowIpv6(sysctls, address),
        addAddress(address),
      ],
    },
  ];
}

const DISABLE_IPV6 = "net/ipv6/conf/lo/disable_ipv6";

/** The setting without which lo gets no IPv6 address. */
function allowIpv6(sysctls: Sysctls, address: Address): Fix[] {
  return address.length === 4 || sysctlNumber(sysctls, DISABLE_IPV6) !== 1
    ? []
    : [
        sysctlFix(
          { [DISABLE_IPV6]: 0 },
          "lo gets ::1 and other IPv6 addresses",
        ),
      ];
}

/** More addresses are not named. */
const MOST_ADDRESSES = 3;

/** Addresses that look like virtual addresses, and are of no service that was named. */
function mistyped(server: RealServer, address: Address): string[] {
  const others = server.addresses.flatMap((own) => {
    const device = server.devices.find(({ index }) => index === own.device);
    return device?.asksNeighbors === false &&
      own.scope === "global" &&
      own.address.length === address.length &&
      own.prefixBits === address.length * 8 &&
      !virtualAddresses(server).some((one) => sameAddress(one, own.address))
      ? [{ own, device }]
      : [];
  });
  const [first] = others;
  if (!first) return [];
  const has = ({ own, device }: typeof first) =>
    `${device.name} has ${formatAddress(own.address)}/${own.prefixBits}`;
  if (others.length === 1)
    return [
      `${has(first)}, which is of no service named here: if it is the mistyped address, remove it ("${removeAddress(first.own, first.device).command}") and correct it in the configuration`,
    ];
  // A command would be wrong for all but one of them.
  const left = others.length - MOST_ADDRESSES;
  const named = others.slice(0, MOST_ADDRESSES).map(has).join(", ");
  return [
    `${named}${left > 0 ? ` and ${left} more` : ""}, which are of no service named here: one of them is perhaps the mistyped address`,
  ];
}

/** A masqueraded server works without the virtual address. */
function unlessMasqueraded(
  finding: Finding<"vip-absent">,
  { services }: RealServer,
  address: Address,
): Finding<"vip-absent"> {
  const names = services
    .filter((service) => sameAddress(service.address, address))
    .map(endpointName);
  return {
    ...finding,
    certainty: "likely",
    evidence: [
      "the forwarding method is not known, and a masqueraded server needs no virtual address",
      ...(finding.evidence ?? []),
    ],
    next: [
      {
        command: `ipvsadm doctor --real-server ${shellWord(names.join(","))} --method METHOD`,
        effect:
          "changes nothing; METHOD is the forwarding method that 'ipvsadm list' on the director shows for this server",
      },
    ],
    cure: "Run the command under Next with the method. Unless it is masq, set arp_ignore and arp_announce first, and then add the virtual address to lo; with --method doctor prints the commands.",
    fix: [],
  };
}

function isLocal(way: Way): boolean {
  return typeof way === "object" && way.type === "local";
}

function wayInWords({ devices }: RealServer, way: Way): string {
  if (typeof way === "string") return `there is no route to it (${way})`;
  const [hop] = way.hops;
  const device = devices.find(({ index }) => index === hop?.device);
  return device === undefined
    ? `its route is ${way.type}`
    : `packets to it would leave by ${device.name}`;
}

function tooWide(
  server: RealServer,
  address: Address,
): Finding<"vip-with-network">[] {
  const bits = address.length * 8;
  return placesOf(server, address)
    .filter(({ device, own }) => !device.asksNeighbors && own.prefixBits < bits)
    .map(({ device, own }) => ({
      id: "vip-with-network",
      subject: `${formatAddress(address)} on ${device.name}`,
      seen: `its prefix length is ${own.prefixBits}, so the whole network is routed to ${device.name}`,
      fix: [addAddress(address, device.name), removeAddress(own, device)],
    }));
}
