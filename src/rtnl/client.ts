import { familyOf, INET, type Address } from "../ipvs/address.js";
import { encode } from "../netlink/attributes.js";
import {
  EACCES,
  EHOSTUNREACH,
  EINVAL,
  ENETUNREACH,
  EXDEV,
} from "../netlink/errno.js";
import { exchangeOver, type Exchange } from "../netlink/exchange.js";
import { NETLINK_ROUTE, type Link, type Span } from "../netlink/link.js";
import type { Writer } from "../netlink/writer.js";
import { dump } from "./dump.js";
import { NetworkRefusal } from "./errors.js";
import { ROUTE } from "./layouts.js";
import type { Device, DeviceAddress, Neighbor, Route, Rule } from "./model.js";
import {
  readAddress,
  readAnswer,
  readDevice,
  readNeighbor,
  readRoute,
  readRule,
} from "./decode.js";
import { neighborsOn, addressOwners } from "./address-owners.js";

/** RTM_GET* of linux/rtnetlink.h */
const GET_LINK = 18;
const GET_ADDRESS = 22;
const GET_ROUTE = 26;
const GET_NEIGHBOR = 30;
const GET_RULE = 34;
/** The bytes of the headers: struct ifinfomsg, ifaddrmsg, rtmsg, ndmsg, fib_rule_hdr. All zeros ask for everything. */
const HEADER_BYTES = {
  [GET_LINK]: 16,
  [GET_ADDRESS]: 8,
  [GET_ROUTE]: 12,
  [GET_NEIGHBOR]: 12,
  [GET_RULE]: 12,
};
/** RTM_F_LOOKUP_TABLE and RTM_F_FIB_MATCH: tell the table, and the route that fits instead of what comes of it. */
const LOOKUP_TABLE = 0x1000;
const FIB_MATCH = 0x2000;

/** Who opens netlink sockets: the world outside, as a run of the program has it. */
export interface LinkOpener {
  openLink(family: number): Link | Promise<Link>;
}

/** What of a packet decides its way. */
export interface RouteQuestion {
  readonly to: Address;
  /** Asked of what comes in, this is any address; of what goes out, it must be this machine's */
  readonly from?: Address | undefined;
  /** The index of the interface by which it comes in; undefined: it is this machine's own */
  readonly incoming?: number | undefined;
  /** The index of the interface by which it must leave */
  readonly outgoing?: number | undefined;
  /** The firewall mark, which rules may ask for */
  readonly mark?: number | undefined;
  /** Answer with the route as it was set (Linux 4.13 and newer), not with what comes of it for this packet */
  readonly asSet?: boolean | undefined;
}

/** Why there is no way. @see fib_props in net/ipv4/fib_semantics.c */
export type NoWay =
  /** No route fits (ENETUNREACH) */
  | "no route"
  /** A route of type unreachable (EHOSTUNREACH); of what comes in, forwarding is off, too */
  | "unreachable"
  /** A route of type prohibit (EACCES) */
  | "prohibited"
  /** A route of type blackhole; of what comes in, also an address that is not to come in here (EINVAL) */
  | "dropped"
  /** rp_filter: the way back would be another (EXDEV) */
  | "wrong interface";

const NO_WAY: Readonly<Record<number, NoWay>> = {
  [ENETUNREACH]: "no route",
  [EHOSTUNREACH]: "unreachable",
  [EACCES]: "prohibited",
  [EINVAL]: "dropped",
  [EXDEV]: "wrong interface",
};

/**
 * The interfaces, addresses, routes and neighbors of this network namespace, as they are.
 *
 * Nothing is changed, but that `addressOwners` asks the network. Every method throws {NetworkRefusal} when the kernel says
 * no, {SocketFault} and {MalformedReply} as an exchange does.
 */
export class NetworkClient {
  readonly #exchange: Exchange;
  readonly #close: () => void;

  /**
   * @param exchange over a link of the family NETLINK_ROUTE
   * @param close gives the link back
   */
  constructor(exchange: Exchange, close: () => void = () => undefined) {
    this.#exchange = exchange;
    this.#close = close;
  }

  /**
   * A client with a socket of its own, as `using network = await NetworkClient.open(io)` gives it back.
   *
   * @throws {SocketFault} when there is none to be had
   */
  static async open(io: LinkOpener): Promise<NetworkClient> {
    const link = await io.openLink(NETLINK_ROUTE);
    return new NetworkClient(exchangeOver(link), () => {
      link.close();
    });
  }

  /** Gives the socket back. */
  [Symbol.dispose](): void {
    this.#close();
  }

  devices(): Promise<Device[]> {
    return this.#dump(GET_LINK, "read the interfaces", readDevice);
  }

  addresses(): Promise<DeviceAddress[]> {
    return this.#dump(GET_ADDRESS, "read the addresses", readAddress);
  }

  /** The routes of all tables, those to this machine's own addresses (table 255) among them. */
  routes(): Promise<Route[]> {
    return this.#dump(GET_ROUTE, "read the routes", readRoute);
  }

  rules(): Promise<Rule[]> {
    return this.#dump(GET_RULE, "read the rules of routing", readRule);
  }

  neighbors(): Promise<Neighbor[]> {
    return this.#dump(GET_NEIGHBOR, "read the neighbors", readNeighbor);
  }

  /**
   * Which way a packet would take.
   *
   * @returns the route, whose type tells whether it is for this machine (`local`); or why there is none
   * @throws {NetworkRefusal} ENODEV when there is no such interface
   */
  async routeTo(question: RouteQuestion): Promise<Route | NoWay> {
    const [reply] = await this.#exchange([
      {
        type: GET_ROUTE,
        expects: "one",
        write: (out) => {
          writeQuestion(out, question);
        },
        read: readAnswer,
      },
    ]);
    if (reply?.kind === "refused") {
      const { errno, explanation } = reply.refusal;
      const why = NO_WAY[errno];
      if (why !== undefined) return why;
      throw new NetworkRefusal(errno, "look up a route", explanation);
    }
    const route = reply?.kind === "done" ? reply.entries[0] : undefined;
    // IPv6 answers with a route that leads nowhere.
    if (route?.type === "unreachable" && route.errno !== undefined)
      return NO_WAY[route.errno] ?? "unreachable";
    return route ?? "no route";
  }

  /**
   * Asks the network who has an address, by ARP or by neighbor discovery. What is in the tables of routing does
   * not matter, so this works for an address that is this machine's own, too: it does not answer itself. See
   * `askingFails` for what cannot be asked.
   *
   * An entry in the table of neighbors that was there before is probed and stays; else there is none afterwards.
   *
   * @param device the index of the interface to ask on
   * @param milliseconds how long to wait for an answer; the kernel asks once in a second, up to three times
   * @returns the hardware address of who answered first; undefined if nobody did
   * @throws {NetworkRefusal} EPERM without CAP_NET_ADMIN, ENODEV, ENETDOWN
   */
  addressOwners(
    address: Address,
    device: number,
    milliseconds: number,
  ): Promise<Uint8Array | undefined> {
    return addressOwners(this.#exchange, address, device, milliseconds);
  }

  /** The neighbors on one interface. */
  neighborsOn(device: number): Promise<Neighbor[]> {
    return neighborsOn(this.#exchange, device);
  }

  #dump<T>(
    type: keyof typeof HEADER_BYTES,
    asked: string,
    read: (payload: Span) => T | undefined,
  ): Promise<T[]> {
    return dump(this.#exchange, asked, {
      type,
      expects: "dump",
      write: (out) => {
        out.zeros(HEADER_BYTES[type]);
      },
      read,
    });
  }
}

/** struct rtmsg of linux/rtnetlink.h */
function writeQuestion(out: Writer, question: RouteQuestion): void {
  const { to, from, incoming, outgoing, mark, asSet } = question;
  const family = familyOf(to);
  const bits = family === INET ? 32 : 128;
  out.u8(family);
  out.u8(bits);
  out.u8(from ? bits : 0);
  out.zeros(5);
  out.u32(LOOKUP_TABLE | (asSet ? FIB_MATCH : 0));
  encode(ROUTE, out, { target: to, from, incoming, outgoing, mark });
}
