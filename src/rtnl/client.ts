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
  readRouteReply,
  readDevice,
  readNeighbor,
  readRoute,
  readRule,
} from "./decode.js";
import { neighborsOn, findAddressOwner } from "./address-owners.js";

/** RTM_GET* of linux/rtnetlink.h */
const GET_LINK = 18;
const GET_ADDRESS = 22;
const GET_ROUTE = 26;
const GET_NEIGHBOR = 30;
const GET_RULE = 34;
/**
 * The sizes of struct ifinfomsg, ifaddrmsg, rtmsg, ndmsg and fib_rule_hdr. A header of zeros
 * requests everything.
 */
const HEADER_BYTES = {
  [GET_LINK]: 16,
  [GET_ADDRESS]: 8,
  [GET_ROUTE]: 12,
  [GET_NEIGHBOR]: 12,
  [GET_RULE]: 12,
};
/**
 * RTM_F_LOOKUP_TABLE: report the real table. RTM_F_FIB_MATCH: report the configured route, not the
 * result for this packet.
 */
const LOOKUP_TABLE = 0x1000;
const FIB_MATCH = 0x2000;

/** Opens netlink sockets. Io implements it. */
export interface LinkOpener {
  openLink(family: number): Link | Promise<Link>;
}

/** The properties of a packet that determine its route. */
export interface RouteQuery {
  readonly to: Address;
  /** Any address if the packet comes in; an address of this machine if the packet goes out */
  readonly from?: Address | undefined;
  /** Index of the incoming interface; undefined if this machine sends the packet */
  readonly incoming?: number | undefined;
  /** Index of the interface by which the packet must leave */
  readonly outgoing?: number | undefined;
  /** The firewall mark, for rules that match on it */
  readonly mark?: number | undefined;
  /** Return the route as configured, not the result for this packet. Needs Linux 4.13 */
  readonly asConfigured?: boolean | undefined;
}

/** Why there is no route. @see fib_props in net/ipv4/fib_semantics.c */
export type RouteFailure =
  /** No matching route (ENETUNREACH) */
  | "no route"
  /** A route of type unreachable (EHOSTUNREACH); for incoming packets also: forwarding is off */
  | "unreachable"
  /** A route of type prohibit (EACCES) */
  | "prohibited"
  /** A route of type blackhole (EINVAL); for incoming packets also: an invalid source address */
  | "dropped"
  /** rp_filter: packets back to the source would leave by another interface (EXDEV) */
  | "wrong interface";

const ROUTE_FAILURES: Readonly<Record<number, RouteFailure>> = {
  [ENETUNREACH]: "no route",
  [EHOSTUNREACH]: "unreachable",
  [EACCES]: "prohibited",
  [EINVAL]: "dropped",
  [EXDEV]: "wrong interface",
};

/**
 * Reads the interfaces, addresses, routes, rules and neighbors of this network namespace. Changes
 * nothing; only findAddressOwner() sends packets.
 *
 * Every method can throw {NetworkRefusal} if the kernel refuses a request, {SocketFault} if the
 * socket fails, and {MalformedReply} if a reply cannot be decoded.
 */
export class NetworkClient {
  readonly #exchange: Exchange;
  readonly #close: () => void;

  /**
   * @param exchange over a link of the family NETLINK_ROUTE
   * @param close closes the link
   */
  constructor(exchange: Exchange, close: () => void = () => undefined) {
    this.#exchange = exchange;
    this.#close = close;
  }

  /**
   * Opens a socket: `using network = await NetworkClient.open(io)`. The end of the block closes it.
   *
   * @throws {SocketFault} if the socket cannot be opened
   */
  static async open(io: LinkOpener): Promise<NetworkClient> {
    const link = await io.openLink(NETLINK_ROUTE);
    return new NetworkClient(exchangeOver(link), () => {
      link.close();
    });
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    this.#close();
  }

  devices(): Promise<Device[]> {
    return this.#dump(GET_LINK, "read the interfaces", readDevice);
  }

  addresses(): Promise<DeviceAddress[]> {
    return this.#dump(GET_ADDRESS, "read the addresses", readAddress);
  }

  /**
   * The routes of all tables, including table 255 (local), which contains this machine's own
   * addresses.
   */
  routes(): Promise<Route[]> {
    return this.#dump(GET_ROUTE, "read the routes", readRoute);
  }

  rules(): Promise<Rule[]> {
    return this.#dump(GET_RULE, "read the routing rules", readRule);
  }

  neighbors(): Promise<Neighbor[]> {
    return this.#dump(GET_NEIGHBOR, "read the neighbors", readNeighbor);
  }

  /**
   * Looks up the route of a packet.
   *
   * @returns the route; its type is `local` if the packet is for this machine. If there is no
   *   route, the reason
   * @throws {NetworkRefusal} ENODEV: no such interface
   */
  async routeTo(query: RouteQuery): Promise<Route | RouteFailure> {
    const [reply] = await this.#exchange([
      {
        type: GET_ROUTE,
        expects: "one",
        write: (out) => {
          writeRouteQuery(out, query);
        },
        read: readRouteReply,
      },
    ]);
    if (reply?.kind === "refused") {
      const { errno, explanation } = reply.refusal;
      const why = ROUTE_FAILURES[errno];
      if (why !== undefined) return why;
      throw new NetworkRefusal(errno, "look up a route", explanation);
    }
    const route = reply?.kind === "done" ? reply.entries[0] : undefined;
    // IPv6 returns a route of type unreachable instead of an error.
    if (route?.type === "unreachable" && route.errno !== undefined)
      return ROUTE_FAILURES[route.errno] ?? "unreachable";
    return route ?? "no route";
  }

  /**
   * Finds the station that has an address, by ARP or neighbor discovery. Ignores the routing
   * tables, so it also finds another station that uses one of this machine's own addresses. This
   * machine does not reply to itself. probeObstacle() tells what prevents a probe.
   *
   * An existing neighbor entry is probed and kept. Otherwise the entry is deleted afterwards.
   *
   * @param device index of the interface
   * @param milliseconds time to wait. The kernel probes once per second, up to three times
   * @returns the hardware address of the first reply; undefined if there is none
   * @throws {NetworkRefusal} EPERM: no CAP_NET_ADMIN. ENODEV: no such interface. ENETDOWN: the
   *   interface is down
   */
  findAddressOwner(
    address: Address,
    device: number,
    milliseconds: number,
  ): Promise<Uint8Array | undefined> {
    return findAddressOwner(this.#exchange, address, device, milliseconds);
  }

  /** The neighbors on one interface. */
  neighborsOn(device: number): Promise<Neighbor[]> {
    return neighborsOn(this.#exchange, device);
  }

  #dump<T>(
    type: keyof typeof HEADER_BYTES,
    operation: string,
    read: (payload: Span) => T | undefined,
  ): Promise<T[]> {
    return dump(this.#exchange, operation, {
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
function writeRouteQuery(out: Writer, query: RouteQuery): void {
  const { to, from, incoming, outgoing, mark, asConfigured } = query;
  const family = familyOf(to);
  const bits = family === INET ? 32 : 128;
  out.u8(family);
  out.u8(bits);
  out.u8(from ? bits : 0);
  out.zeros(5);
  out.u32(LOOKUP_TABLE | (asConfigured ? FIB_MATCH : 0));
  encode(ROUTE, out, { target: to, from, incoming, outgoing, mark });
}
