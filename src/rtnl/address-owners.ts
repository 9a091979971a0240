import { familyOf, INET, sameAddress, type Address } from "../ipvs/address.js";
import { encode } from "../netlink/attributes.js";
import type { Exchange } from "../netlink/exchange.js";
import type { Writer } from "../netlink/writer.js";
import { dump } from "./dump.js";
import { NetworkRefusal } from "./errors.js";
import { NEIGHBOR } from "./layouts.js";
import type { Device, DeviceAddress, Neighbor } from "./model.js";
import { readNeighbor } from "./decode.js";

/** RTM_*NEIGH of linux/rtnetlink.h */
const NEW_NEIGHBOR = 28;
const DELETE_NEIGHBOR = 29;
const GET_NEIGHBOR = 30;
/** NLM_F_* of linux/netlink.h: replace an existing entry, create a new one */
const REPLACE = 0x100;
const CREATE = 0x400;
/** NTF_USE of linux/neighbor.h: resolve the entry as if a packet had to be sent */
const USE = 0x01;
/** NUD_PROBE of linux/neighbor.h: verify the known hardware address */
const PROBE = 0x10;

const POLL_MILLISECONDS = 20;

/** Implements NetworkClient.findAddressOwner(). */
export async function findAddressOwner(
  exchange: Exchange,
  address: Address,
  device: number,
  milliseconds: number,
): Promise<Uint8Array | undefined> {
  const find = async () =>
    (await neighborsOn(exchange, device)).find((neighbor) =>
      sameAddress(neighbor.address, address),
    );
  const before = await find();
  if (before && isFixed(before)) return before.hardwareAddress;
  await ask(exchange, address, device, before);
  try {
    return await answer(find, milliseconds);
  } finally {
    if (!before) await remove(exchange, address, device);
  }
}

/** The kernel never probes permanent entries, nor entries of interfaces without ARP. */
function isFixed({ state }: Neighbor): boolean {
  return state === "permanent" || state === "noarp";
}

/**
 * Makes the kernel send a probe: by broadcast or multicast, or to the known station. On its own,
 * the kernel would trust a fresh entry for half a minute, and an old one for 5 seconds.
 */
async function ask(
  exchange: Exchange,
  address: Address,
  device: number,
  before: Neighbor | undefined,
): Promise<void> {
  const known = before?.hardwareAddress !== undefined;
  await change(exchange, "probe a neighbor", {
    type: NEW_NEIGHBOR,
    flags: known ? REPLACE : CREATE,
    write: (out) => {
      writeNeighbor(out, address, device, known ? PROBE : 0, known ? 0 : USE);
    },
  });
}

/** Waits for the hardware address; undefined if nobody replies in time. */
async function answer(
  find: () => Promise<Neighbor | undefined>,
  milliseconds: number,
): Promise<Uint8Array | undefined> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const now = await find();
    // While the kernel probes, the entry still has the old hardware address.
    if (now?.hardwareAddress && !/probe|failed|incomplete/.test(now.state))
      return now.hardwareAddress;
    const rest = end - performance.now();
    if (rest <= 0 || now?.state === "failed") return undefined;
    await new Promise((resolve) => {
      setTimeout(resolve, Math.min(rest, POLL_MILLISECONDS));
    });
  }
}

/** Deletes an entry. Ignores errors: the entry may already be gone. */
async function remove(
  exchange: Exchange,
  address: Address,
  device: number,
): Promise<void> {
  await exchange([
    {
      type: DELETE_NEIGHBOR,
      expects: "ack",
      write: (out) => {
        writeNeighbor(out, address, device, 0, 0);
      },
    },
  ]);
}

async function change(
  exchange: Exchange,
  operation: string,
  request: { type: number; flags: number; write(out: Writer): void },
): Promise<void> {
  const [reply] = await exchange([{ ...request, expects: "ack" }]);
  if (reply?.kind !== "refused") return;
  const { errno, explanation } = reply.refusal;
  throw new NetworkRefusal(errno, operation, explanation);
}

/** Reads the neighbors on one interface. @throws {NetworkRefusal} */
export async function neighborsOn(
  exchange: Exchange,
  device: number,
): Promise<Neighbor[]> {
  const all = await dump(exchange, "read the neighbors", {
    expects: "dump",
    type: GET_NEIGHBOR,
    write: (out) => {
      out.zeros(12);
      encode(NEIGHBOR, out, { device });
    },
    read: readNeighbor,
  });
  // Kernels before 4.4 ignore the filter and return all neighbors.
  return all.filter((neighbor) => neighbor.device === device);
}

/** struct ndmsg of linux/neighbor.h */
function writeNeighbor(
  out: Writer,
  address: Address,
  device: number,
  state: number,
  flags: number,
): void {
  out.u8(familyOf(address));
  out.zeros(3);
  out.u32(device);
  out.u16(state);
  out.u8(flags);
  out.u8(0);
  encode(NEIGHBOR, out, { address });
}

/** Why the owner of an address cannot be found on an interface. */
export type ProbeObstacle =
  /** The interface has no hardware addresses: a tunnel, lo, or an interface without ARP */
  | "no neighbors"
  /** The interface is not set up, or it has no carrier */
  | "down"
  /** IPv6 probes need a link-local source address, and the interface has none */
  | "no address"
  /** The kernel would use the same address as source. Nobody replies to such an ARP request */
  | "own name"
  /** The IPv6 address is configured on this interface, so the kernel ignores replies for it */
  | "own address";

/**
 * Checks whether findAddressOwner() can find the owner of an address. Returns undefined if it can.
 *
 * @param addresses all addresses of this machine, in the kernel's order
 * @see inet_select_addr() in net/ipv4/devinet.c, ndisc_send_ns() and ndisc_recv_na() in
 *   net/ipv6/ndisc.c
 */
export function probeObstacle(
  address: Address,
  device: Device,
  addresses: readonly DeviceAddress[],
): ProbeObstacle | undefined {
  if (!device.asksNeighbors) return "no neighbors";
  if (!device.up || /down|notpresent/.test(device.state)) return "down";
  const here = addresses.filter((one) => one.device === device.index);
  if (familyOf(address) !== INET) {
    if (here.some((one) => sameAddress(one.address, address)))
      return "own address";
    const usable = here.some(
      ({ family, scope, tentative }) =>
        family !== INET && scope === "link" && !tentative,
    );
    return usable ? undefined : "no address";
  }
  const asker = askerOn(address, device.index, addresses);
  return asker && sameAddress(asker.address, address) ? "own name" : undefined;
}

/** The address from which the kernel asks for a neighbor by ARP. @param addresses all addresses of this machine */
export function askerOn(
  address: Address,
  device: number,
  addresses: readonly DeviceAddress[],
): DeviceAddress | undefined {
  const here = addresses.filter((one) => one.device === device);
  return askerFor(address, here) ?? askerFor(undefined, addresses);
}

/**
 * The source address of an ARP request: the first one in the target's network, otherwise the first
 * of all.
 */
function askerFor(
  address: Address | undefined,
  addresses: readonly DeviceAddress[],
): DeviceAddress | undefined {
  const possible = addresses.filter(
    ({ family, scope, secondary }) =>
      family === INET && !secondary && (scope === "global" || scope === "link"),
  );
  const near =
    address &&
    possible.find((one) =>
      isWithin(address, one.peer ?? one.address, one.prefixBits),
    );
  return near ?? possible[0];
}

/** Whether an address is in a network. */
export function isWithin(
  address: Address,
  network: Address,
  prefixBits: number,
): boolean {
  if (address.length !== network.length) return false;
  for (let bit = 0; bit < prefixBits; bit += 8) {
    const byte = bit >> 3;
    const kept = prefixBits - bit >= 8 ? 0xff : 0xff00 >> (prefixBits - bit);
    if (((address[byte] ?? 0) ^ (network[byte] ?? 0)) & kept & 0xff)
      return false;
  }
  return true;
}
