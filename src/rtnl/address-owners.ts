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
/** NLM_F_* of linux/netlink.h: the entry may be there, or may not */
const REPLACE = 0x100;
const CREATE = 0x400;
/** NTF_USE of linux/neighbor.h: as if a packet were to be sent there */
const USE = 0x01;
/** NUD_PROBE: ask the station that is known */
const PROBE = 0x10;

const POLL_MILLISECONDS = 20;

/** `NetworkClient.addressOwners` over an exchange. */
export async function addressOwners(
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

/** An entry that an administrator made, or that needs no asking, is never asked for. */
function isFixed({ state }: Neighbor): boolean {
  return state === "permanent" || state === "noarp";
}

/**
 * Has the kernel ask: everybody, or the station that it knows of. Left to itself it would believe for half a minute
 * what it has heard, and for 5 seconds what it has not heard of for long.
 */
async function ask(
  exchange: Exchange,
  address: Address,
  device: number,
  before: Neighbor | undefined,
): Promise<void> {
  const known = before?.hardwareAddress !== undefined;
  await change(exchange, `ask for a neighbor`, {
    type: NEW_NEIGHBOR,
    flags: known ? REPLACE : CREATE,
    write: (out) => {
      writeNeighbor(out, address, device, known ? PROBE : 0, known ? 0 : USE);
    },
  });
}

/** The first answer; undefined if there is none in time. */
async function answer(
  find: () => Promise<Neighbor | undefined>,
  milliseconds: number,
): Promise<Uint8Array | undefined> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const now = await find();
    // While it is probed, an entry keeps the address of before.
    if (now?.hardwareAddress && !/probe|failed|incomplete/.test(now.state))
      return now.hardwareAddress;
    const rest = end - performance.now();
    if (rest <= 0 || now?.state === "failed") return undefined;
    await new Promise((resolve) => {
      setTimeout(resolve, Math.min(rest, POLL_MILLISECONDS));
    });
  }
}

/** Removes an entry; that it may have gone by itself does not matter. */
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
  asked: string,
  request: { type: number; flags: number; write(out: Writer): void },
): Promise<void> {
  const [reply] = await exchange([{ ...request, expects: "ack" }]);
  if (reply?.kind !== "refused") return;
  const { errno, explanation } = reply.refusal;
  throw new NetworkRefusal(errno, asked, explanation);
}

/** The neighbors on one interface. @throws {NetworkRefusal} */
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
  // Kernels before 4.4 do not pick, they tell all.
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

/** Why an address cannot be asked for on an interface. */
export type AskingFault =
  /** There are no hardware addresses: a tunnel, lo, an interface without ARP */
  | "no neighbors"
  /** The interface is not set up, or has no carrier */
  | "down"
  /** IPv6 asks in the name of a link-local address, and there is none */
  | "no address"
  /** The kernel would ask in the name of the very address: by ARP nobody answers that */
  | "own name"
  /** It is an IPv6 address of the very interface, of which the kernel believes nobody anything */
  | "own address";

/**
 * Whether `addressOwners` can find out who has an address; undefined if it can.
 *
 * @param addresses all of this machine, in the kernel's order
 * @see inet_select_addr() in net/ipv4/devinet.c, ndisc_send_ns() and ndisc_recv_na() in net/ipv6/ndisc.c
 */
export function askingFails(
  address: Address,
  device: Device,
  addresses: readonly DeviceAddress[],
): AskingFault | undefined {
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
  const asker = askerFor(address, here) ?? askerFor(undefined, addresses);
  return asker && sameAddress(asker, address) ? "own name" : undefined;
}

/** The address in whose name ARP asks: the first in the network of what is asked for, else the first of all. */
function askerFor(
  address: Address | undefined,
  addresses: readonly DeviceAddress[],
): Address | undefined {
  const possible = addresses.filter(
    ({ family, scope, secondary }) =>
      family === INET && !secondary && (scope === "global" || scope === "link"),
  );
  const near =
    address &&
    possible.find((one) =>
      isWithin(address, one.peer ?? one.address, one.prefixBits),
    );
  return (near ?? possible[0])?.address;
}

/** Whether an address begins with the same bits as another of the same family. */
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
