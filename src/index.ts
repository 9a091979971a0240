/**
 * The typed client of IPVS, for programs: open a link, an exchange over it and a client over that.
 *
 * @packageDocumentation
 */
export * from "./ipvs/address.js";
export { IpvsClient, type Change } from "./ipvs/client.js";
export * from "./ipvs/errors.js";
export * from "./ipvs/model.js";
export { MalformedReply, SocketFault } from "./netlink/errors.js";
export { exchangeOver, type Exchange } from "./netlink/exchange.js";
export type { Link } from "./netlink/link.js";
export { openNodeLink } from "./netlink/node-link.js";
