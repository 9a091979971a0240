import {
  formatAddress,
  INET,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  TUNNELING,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import { formatHardwareAddress, type Device } from "../../../rtnl/model.js";
import type { Fix } from "../../finding.js";
import { announce } from "../ways/announce.js";
import type { Network } from "../../network.js";
import { clientDevices } from "../firewall/flow-clients.js";
import { examineThere } from "../nat/examine-there.js";
import { isPassive, isServing } from "../reach/reach.js";
import { movedServices, usedConnections } from "./entries.js";
import type { ClientSightings, TraceFacts } from "./trace-step.js";

/** Where to look if no packet of a client reached a service: at its router's neighbors, and at real servers that perhaps announce the virtual address. */
export function unseenRequests(
  facts: TraceFacts,
  sightings: ClientSightings,
): Fix[] {
  const { client, after } = sightings;
  if (isPassive(facts.daemons) || usedConnections(sightings).length > 0)
    return [];
  if (movedServices(facts.table, after).length > 0) return [];
  const services = facts.table.filter(
    ({ key }) => (key.family === INET) === (client.length === 4),
  );
  return [
    ...services.flatMap((service) => neighborsOf(service, facts, sightings)),
    ...services.flatMap((service) =>
      service.servers
        .filter(isServing)
        .filter(
          ({ settings: { forwarding } }) =>
            forwarding === DIRECT_ROUTING || forwarding === TUNNELING,
        )
        .map((server) => examineThere(service, server, facts, client)),
    ),
  ];
}

/** What the neighbors of the director must know of a virtual address. */
function neighborsOf(
  { key }: ServiceWithServers,
  { network }: TraceFacts,
  { client }: ClientSightings,
): Fix[] {
  if ("firewallMark" in key) return [];
  const [name] = clientDevices(network, key.family, key.address, client);
  const entrance = network.devices.find((one) => one.name === name);
  const device =
    (entrance && virtualInterface(network, entrance, key.address)) ?? entrance;
  const at = device?.hardwareAddress;
  if (!device || !at || !isAmongNeighbors(network, [entrance, device], key))
    return [];
  return [
    {
      command: `ip neighbor show to ${formatAddress(key.address)}`,
      on: "the client and its routers, in the network of this director",
      effect: `changes nothing; it must show ${formatHardwareAddress(at)}, the hardware address of ${device.name} here: if it shows another one, 'ip neighbor del' removes the entry, and the machine with that hardware address announces the virtual address or had it before`,
    },
    ...announce(network, key.address),
  ];
}

/** Whether a virtual address is in a network of these interfaces. Packets to another one are routed to this machine, and nobody asks for it. */
function isAmongNeighbors(
  { addresses }: Network,
  devices: readonly (Device | undefined)[],
  { address }: { readonly address: Address },
): boolean {
  return addresses.some(
    (own) =>
      devices.some((one) => one?.index === own.device) &&
      own.prefixBits < address.length * 8 &&
      isWithin(address, own.peer ?? own.address, own.prefixBits),
  );
}

/** The interface upon another one that has a virtual address, and answers for it with a virtual hardware address, as VRRP makes it. */
function virtualInterface(
  { addresses, devices }: Network,
  { index }: Device,
  address: Address,
): Device | undefined {
  return devices.find(
    (device) =>
      device.lower === index &&
      device.asksNeighbors &&
      addresses.some(
        (own) =>
          own.device === device.index && sameAddress(own.address, address),
      ),
  );
}
