import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  MASQUERADING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import type { DeviceAddress } from "../../../rtnl/model.js";
import type { Known } from "../../check.js";
import type { Facts } from "../../facts.js";
import { isLocal, nextHopTo } from "../../network.js";
import { isMain, ownAt } from "../../own-addresses.js";
import { hears } from "../../real-server/listening.js";

/** A virtual address that another machine has as its own, because it is a real server of another service. */
export interface Collision {
  readonly address: Address;
  /** The services at the address */
  readonly virtual: readonly ServiceWithServers[];
  /** The services that have a real server with the address, and that server */
  readonly real: readonly {
    readonly service: ServiceWithServers;
    readonly server: ServerEntry;
  }[];
  /** The other machine */
  readonly hardwareAddress: Uint8Array;
  /** The index of the interface on which it answers */
  readonly device: number;
  /** Where this machine has the address; undefined if no interface has it */
  readonly own: DeviceAddress | undefined;
}

type CollisionFacts = Facts & Known<"table" | "network">;

/** The collision at an address; undefined if there is none, or if it is not known who has the address in the network. */
export function collisionAt(
  address: Address,
  facts: CollisionFacts,
): Collision | undefined {
  const services = facts.allServices ?? facts.table;
  // Doctor asks for each service and many servers, so most questions must be cheap.
  if (!sharedAddresses(services).has(formatAddress(address))) return undefined;
  const isAt = ({ key }: ServiceWithServers) =>
    !("firewallMark" in key) && sameAddress(key.address, address);
  const real = services
    .filter((service) => !isAt(service))
    .flatMap((service) =>
      service.servers
        .filter(({ key }) => sameAddress(key.address, address))
        .map((server) => ({ service, server })),
    );
  const virtual = services.filter(isAt);
  if (virtual.length === 0 || real.length === 0) return undefined;
  // A program of this machine gets the requests, so the server is this machine itself.
  if (real.some((one) => isHeard(one, facts))) return undefined;
  const { network } = facts;
  const own = ownAt(network, address);
  if (own && isMain(network, own)) return undefined;
  const station = stationAt(address, facts);
  return station && { address, virtual, real, own, ...station };
}

const sharedOfTables = new WeakMap<
  readonly ServiceWithServers[],
  ReadonlySet<string>
>();

/** The addresses that services have, and real servers as well. */
function sharedAddresses(
  services: readonly ServiceWithServers[],
): ReadonlySet<string> {
  const known = sharedOfTables.get(services);
  if (known) return known;
  const virtual = new Set(
    services.flatMap(({ key }) =>
      "firewallMark" in key ? [] : [formatAddress(key.address)],
    ),
  );
  const shared = new Set(
    services.flatMap(({ servers }) =>
      servers
        .map(({ key }) => formatAddress(key.address))
        .filter((text) => virtual.has(text)),
    ),
  );
  sharedOfTables.set(services, shared);
  return shared;
}

/** Whether a program of this machine gets the requests of a server with an address of this machine. */
function isHeard(
  { service, server }: Collision["real"][number],
  { listeners = [] }: Facts,
): boolean {
  if ("firewallMark" in service.key) return false;
  const { protocol } = service.key;
  const { address, port } =
    server.settings.forwarding === MASQUERADING ? server.key : service.key;
  return listeners.some(
    (one) =>
      one.protocol === protocol && one.port === port && hears(one, { address }),
  );
}

/** The other machine that has an address in a network of this one. */
function stationAt(
  address: Address,
  facts: CollisionFacts,
): Pick<Collision, "hardwareAddress" | "device"> | undefined {
  const { network, stations } = facts;
  if (isLocal(network, address) === true) {
    const stranger = stations?.strangers.find((one) =>
      sameAddress(one.address, address),
    );
    // A real server that answers for addresses of others is another fault.
    return stranger && !hasOthers(stranger.hardwareAddress, address, facts)
      ? stranger
      : undefined;
  }
  const hop = nextHopTo(network, address);
  if (!hop || !sameAddress(hop.address, address)) return undefined;
  const text = formatAddress(address);
  const hardwareAddress = stations?.nextHops.has(text)
    ? stations.nextHops.get(text)
    : network.neighbors.find(
        (one) =>
          one.device === hop.device &&
          one.state !== "failed" &&
          sameAddress(one.address, address),
      )?.hardwareAddress;
  return hardwareAddress && { hardwareAddress, device: hop.device };
}

/** Whether a machine has the address of another real server. */
function hasOthers(
  hardwareAddress: Uint8Array,
  address: Address,
  { allServices, table, network, stations }: CollisionFacts,
): boolean {
  const has = (other: Uint8Array | undefined) =>
    other !== undefined && sameAddress(other, hardwareAddress);
  const owned = new Set([
    ...network.neighbors
      .filter((neighbor) => has(neighbor.hardwareAddress))
      .map((neighbor) => formatAddress(neighbor.address)),
    ...Array.from(stations?.nextHops ?? [])
      .filter(([, answer]) => has(answer))
      .map(([text]) => text),
  ]);
  return (allServices ?? table)
    .flatMap(({ servers }) => servers)
    .some(
      ({ key }) =>
        !sameAddress(key.address, address) &&
        owned.has(formatAddress(key.address)),
    );
}
