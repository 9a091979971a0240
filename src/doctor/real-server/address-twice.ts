import {
  familyOf,
  formatAddress,
  INET,
  sameAddress,
} from "../../ipvs/address.js";
import { formatHardwareAddress } from "../../rtnl/model.js";
import { check } from "../check.js";
import type { Finding } from "../finding.js";
import { placesOf, type RealServer } from "./real-server.js";

/** Whether the director reaches another machine at the address of this real server. */
export const addressTwice = check(
  ["server-address-twice"],
  ["realServer"],
  ({ realServer }): Finding<"server-address-twice">[] => {
    const { server, hardwareAddress, director } = realServer;
    const [place] = server ? placesOf(realServer, server.address) : [];
    if (!server || !place || !hardwareAddress) return [];
    if (isOwn(realServer, hardwareAddress)) return [];
    const text = formatAddress(server.address);
    const other = formatHardwareAddress(hardwareAddress);
    const own = place.device.hardwareAddress;
    const there = director ? `director ${formatAddress(director)}` : "director";
    return [
      {
        id: "server-address-twice",
        subject: text,
        seen: `the director reaches it at ${other}, and no interface of this machine has that hardware address${own ? `: ${place.device.name} has ${formatHardwareAddress(own)}` : ""}`,
        certainty: "likely",
        evidence: [
          "unless something between the machines answers ARP or neighbor discovery for this one, another machine has the address as well",
        ],
        next: [
          {
            command: `ip neighbor show | grep ${other}`,
            on: there,
            effect:
              "changes nothing; shows the other addresses of the machine with that hardware address",
          },
          ...(familyOf(server.address) === INET
            ? [
                {
                  command: `arping -c 3 -I INTERFACE ${text}`,
                  on: there,
                  effect:
                    "changes nothing; INTERFACE is the one in the network of the server; prints the hardware address of each machine that answers",
                },
              ]
            : []),
        ],
        // Perhaps that machine only answers for this one, so no command is printed.
        cure: `If another machine has the address: remove it there, also from its configuration, with "ip address del ${text}/${place.own.prefixBits} dev INTERFACE". 'ip address show to ${text}' there names the interface and the prefix length. That machine loses its connections from this address. Then the director must ask again: "ip neighbor flush to ${text}" there; by itself it does so within a minute.`,
        fix: [],
      },
    ];
  },
  // Only the director knows whom it reaches.
  ({ realServer }) => realServer.hardwareAddress !== undefined,
);

/** Whether any interface has a hardware address: the kernel answers ARP on all interfaces that are in a network. */
function isOwn({ devices }: RealServer, hardwareAddress: Uint8Array): boolean {
  return devices.some(
    (device) =>
      device.hardwareAddress &&
      sameAddress(device.hardwareAddress, hardwareAddress),
  );
}
