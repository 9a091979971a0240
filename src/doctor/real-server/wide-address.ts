import { formatAddress, type Address } from "../../ipvs/address.js";
import { isWithin } from "../../rtnl/address-owners.js";
import type { Route } from "../../rtnl/model.js";
import type { Finding } from "../finding.js";
import { stationAt, type RealServer } from "./real-server.js";

/** An address of this server whose prefix length makes the client look like a neighbor, although it does not answer as one. */
export function tooWideAddress(
  server: RealServer,
  director: Address,
  { hops }: Route,
): WideAddress | undefined {
  const { client, addresses, devices } = server;
  const [hop] = hops;
  if (!client || !hop || hop.gateway) return undefined;
  const asked = stationAt(server, client, hop.device);
  const there = stationAt(server, director, hop.device);
  // Without an answer of the director, the interface may be broken.
  if (!asked || asked.hardwareAddress || !there?.hardwareAddress)
    return undefined;
  const own = addresses.find(
    (one) =>
      one.device === hop.device &&
      one.address.length === client.length &&
      one.prefixBits < client.length * 8 &&
      isWithin(client, one.peer ?? one.address, one.prefixBits),
  );
  const name = devices.find(({ index }) => index === hop.device)?.name;
  if (!own || name === undefined) return undefined;
  const address = formatAddress(own.address);
  const bits = own.prefixBits;
  return { client: formatAddress(client), address, bits, name };
}

interface WideAddress {
  readonly client: string;
  readonly address: string;
  readonly bits: number;
  readonly name: string;
}

/** Says that the prefix length is probably the cause, and offers no command: only the reader knows the right one. */
export function withWideAddress(
  finding: Finding<"way-back-elsewhere">,
  { client, address, bits, name }: WideAddress,
): Finding<"way-back-elsewhere"> {
  const route = finding.fix.map(({ command }) => `'${command}'`).join(", ");
  return {
    ...finding,
    seen: `${finding.seen}: ${address}/${bits} on ${name} makes the client's network look directly attached; ${client} does not answer there, and the director does`,
    cure: `Probably the prefix length ${bits} is wrong. If ${client} is in another network, correct the prefix length, also in the configuration: 'ip address add ${address}/BITS dev ${name}' with the BITS of the network in which the director and this server are, then 'ip address del ${address}/${bits} dev ${name}', and add again the routes that disappear with it, such as the default route. A route for this client alone, ${route}, helps no other client.`,
    fix: [],
  };
}
