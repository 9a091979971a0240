import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import type { NetworkClient } from "../../rtnl/client.js";
import { NetworkRefusal } from "../../rtnl/errors.js";
import { textOf } from "../../system/files.js";
import { addressIn } from "./listeners.js";
import {
  askedOn,
  virtualAddresses,
  type NearClient,
  type RealServer,
} from "./real-server.js";

/** A TCP connection that the client has not confirmed. */
export interface Opening {
  readonly address: Address;
  readonly port: number;
  readonly client: Address;
}

/** More of them would take too long. */
const MOST_CLIENTS = 4;

/**
 * Finds clients to which answers leave directly, by another interface than that of the requests, and asks for them there:
 * the client of the command line, and those whose connections wait in SYN_RECV.
 *
 * @returns undefined if they could not be asked for
 */
export async function readNearClients(
  network: NetworkClient,
  server: RealServer,
  procFolder: string,
  milliseconds: number,
): Promise<NearClient[] | undefined> {
  const { method, client } = server;
  if (method === "masq") return [];
  const waiting = openingsOf(server, readOpenings(procFolder));
  const clients = distinct([...(client ? [client] : []), ...waiting]);
  const entrances = await entrancesOf(network, server);
  const near: Omit<NearClient, "hardwareAddress">[] = [];
  for (const to of clients) {
    const from = virtualAddresses(server).find(
      (one) => one.length === to.length,
    );
    // Without the virtual address this machine answers nobody, which is another finding.
    if (!from || !isOwn(server, from)) continue;
    const way = await network.routeTo({ to, from });
    const [hop, ...others] =
      typeof way === "object" && way.type === "unicast" ? way.hops : [];
    if (hop?.device === undefined || hop.gateway || others.length > 0) continue;
    if (entrances.includes(hop.device)) continue;
    const device = server.devices.find(({ index }) => index === hop.device);
    if (!device?.asksNeighbors || near.length >= MOST_CLIENTS) continue;
    const waits = waiting.some((one) => sameAddress(one, to));
    near.push({ client: to, device: device.index, waits });
  }
  try {
    return await Promise.all(
      near.map(async (one) => ({
        ...one,
        hardwareAddress: await network.findAddressOwner(
          one.client,
          one.device,
          milliseconds,
        ),
      })),
    );
  } catch (error) {
    // Asking needs CAP_NET_ADMIN.
    if (error instanceof NetworkRefusal) return undefined;
    throw error;
  }
}

function isOwn({ ways }: RealServer, address: Address): boolean {
  return ways.some(
    ({ service, there }) =>
      sameAddress(service.address, address) &&
      typeof there === "object" &&
      there.type === "local",
  );
}

/** The interfaces by which requests come in: those that lead to the director, or to neighbors that ask for the virtual address. */
async function entrancesOf(
  network: NetworkClient,
  server: RealServer,
): Promise<readonly (number | undefined)[]> {
  const { director } = server;
  if (director) {
    const way = await network.routeTo({ to: director });
    return typeof way === "object" ? way.hops.map(({ device }) => device) : [];
  }
  return virtualAddresses(server).flatMap((one) =>
    askedOn(server, one).map(({ index }) => index),
  );
}

/** The clients whose connections to the services wait, each once. */
function openingsOf(
  { services }: RealServer,
  openings: readonly Opening[],
): Address[] {
  const clients = openings
    .filter((one) =>
      services.some(
        ({ address, port }) =>
          sameAddress(address, one.address) &&
          (port === undefined || port === one.port),
      ),
    )
    .map(({ client }) => client);
  return distinct(clients).slice(0, MOST_WAITING);
}

/** Some of many clients: each needs a question to the kernel. */
const MOST_WAITING = 100;

function distinct(addresses: readonly Address[]): Address[] {
  return [
    ...new Map(addresses.map((one) => [formatAddress(one), one])).values(),
  ];
}

function readOpenings(procFolder: string): Opening[] {
  return ["tcp", "tcp6"].flatMap((name) =>
    openingsIn(textOf(`${procFolder}/net/${name}`) ?? ""),
  );
}

/**
 * The connections in a file of procfs that the client has not confirmed (03, TCP_SYN_RECV).
 *
 * @see get_openreq4() in net/ipv4/tcp_ipv4.c
 */
export function openingsIn(text: string): Opening[] {
  const rows = text.matchAll(
    /^ *[0-9]+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]+):[0-9A-F]{4} 03 /gm,
  );
  return Array.from(rows, ([, address = "", port = "", client = ""]) => ({
    address: addressIn(address),
    port: Number.parseInt(port, 16),
    client: addressIn(client),
  }));
}
