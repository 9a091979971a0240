import { formatAddress, sameAddress, type Address } from "../ipvs/address.js";
import type { NetworkClient } from "../rtnl/client.js";
import type { Device, DeviceAddress } from "../rtnl/model.js";
import { probeObstacle, isWithin } from "../rtnl/address-owners.js";
import {
  deviceOf,
  isLocal,
  nextHopTo,
  type Network,
  type Stations,
  type Way,
} from "./network.js";

/** How long to wait for another owner of a virtual address: a network answers in a few milliseconds */
const STRANGER_MILLISECONDS = 500;
/** How long to wait for a next hop: the kernel asks every second, and the first question can be lost */
const NEXT_HOP_MILLISECONDS = 2500;
/** Only the first of so many addresses are asked for: each question reads all neighbors */
const MOST_QUESTIONS = 256;

/** Reads interfaces, addresses and neighbors, and the routes to some addresses. */
export async function readNetwork(
  client: NetworkClient,
  addresses: Iterable<Address>,
): Promise<Network> {
  const ways = new Map<string, Way>();
  for (const address of addresses) {
    const text = formatAddress(address);
    if (!ways.has(text)) ways.set(text, await client.routeTo({ to: address }));
  }
  return {
    devices: await client.devices(),
    addresses: await client.addresses(),
    neighbors: await client.neighbors(),
    ways,
  };
}

/**
 * Asks the network who has addresses, by ARP and neighbor discovery.
 *
 * @param virtual virtual addresses, for which only this machine should answer
 * @param servers real servers
 */
export async function askStations(
  client: Pick<NetworkClient, "findAddressOwner">,
  network: Network,
  virtual: readonly Address[],
  servers: readonly Address[],
): Promise<Stations> {
  const nextHops = new Map<string, Uint8Array | undefined>();
  const strangers: Stations["strangers"][number][] = [];
  const questions = [
    ...placesOf(network, virtual).map(({ address, device }) => async () => {
      const hardwareAddress = await client.findAddressOwner(
        address,
        device,
        STRANGER_MILLISECONDS,
      );
      if (hardwareAddress && !isOurs(network, hardwareAddress))
        strangers.push({ address, device, hardwareAddress });
    }),
    ...nextHopsTo(network, servers).map(({ address, device }) => async () => {
      const answer = await client.findAddressOwner(
        address,
        device,
        NEXT_HOP_MILLISECONDS,
      );
      nextHops.set(formatAddress(address), answer);
    }),
  ];
  await Promise.all(questions.slice(0, MOST_QUESTIONS).map((ask) => ask()));
  return { nextHops, strangers };
}

/** The interfaces on which clients and routers ask for virtual addresses: those with the address, or in its network. */
function placesOf(
  network: Network,
  virtual: readonly Address[],
): { address: Address; device: number }[] {
  return virtual
    .filter((address) => isLocal(network, address))
    .flatMap((address) =>
      network.devices
        .filter(
          (device) =>
            network.addresses.some((own) => isAt(own, device, address)) &&
            probeObstacle(address, device, network.addresses) === undefined,
        )
        .map(({ index }) => ({ address, device: index })),
    );
}

function isAt(own: DeviceAddress, device: Device, address: Address): boolean {
  return (
    own.device === device.index &&
    isWithin(address, own.peer ?? own.address, own.prefixBits)
  );
}

/**
 * The next hops to real servers, each once. Those that the kernel is not sure of come first: it keeps a neighbor for
 * half a minute without checking.
 */
function nextHopsTo(
  network: Network,
  servers: readonly Address[],
): { address: Address; device: number }[] {
  const sure: { address: Address; device: number }[] = [];
  const doubtful: typeof sure = [];
  const seen = new Set<string>();
  for (const server of servers) {
    const hop = nextHopTo(network, server);
    const device = deviceOf(network, hop?.device);
    if (!hop || !device || seen.has(formatAddress(hop.address))) continue;
    if (probeObstacle(hop.address, device, network.addresses)) continue;
    seen.add(formatAddress(hop.address));
    const known = network.neighbors.find(
      (neighbor) =>
        neighbor.device === hop.device &&
        sameAddress(neighbor.address, hop.address),
    );
    (known?.state === "reachable" ? sure : doubtful).push(hop);
  }
  return [...doubtful, ...sure];
}

function isOurs({ devices }: Network, hardwareAddress: Uint8Array): boolean {
  return devices.some(
    (device) =>
      device.hardwareAddress &&
      sameAddress(device.hardwareAddress, hardwareAddress),
  );
}
