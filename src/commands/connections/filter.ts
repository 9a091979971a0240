import { INET } from "../../ipvs/address.js";
import type { ServiceSelector } from "../../grammar/selector.js";
import type { ConnectionReader } from "../../ipvs/connection-reader.js";
import { networkOf, type Network } from "../../ipvs/ip-network.js";
import { PROTOCOL_NAMES } from "../../ipvs/model.js";

/** Real servers that are wanted. */
export interface ServersWanted {
  readonly network: Network;
  /** Undefined: any */
  readonly port: number | undefined;
}

/** Which connections are wanted: of each list those of any item, and an empty list excludes nothing. */
export interface Wanted {
  readonly services: readonly ServiceSelector[];
  readonly clients: readonly Network[];
  readonly servers: readonly ServersWanted[];
  /** As the kernel writes them: `TCP` */
  readonly protocols: readonly string[];
  /** As the kernel writes them: `SYN_RECV` */
  readonly states: readonly string[];
  readonly expiresWithinSeconds: number | undefined;
}

/** Whether the connection that a reader stands on is wanted. */
export type Test = (line: ConnectionReader) => boolean;

/** A test that reads no more of a line than it must. */
export function testFor(wanted: Wanted): Test {
  const { clients, protocols, states, expiresWithinSeconds } = wanted;
  const services = wanted.services.map(serviceTest);
  const servers = wanted.servers.map(serverTest);
  const tests: Test[] = [];
  if (clients.length > 0)
    tests.push((line) => clients.some((network) => line.clientIn(network)));
  if (services.length > 0)
    tests.push((line) => services.some((test) => test(line)));
  if (servers.length > 0)
    tests.push((line) => servers.some((test) => test(line)));
  if (protocols.length > 0)
    tests.push((line) => protocols.some((name) => line.protocolIs(name)));
  if (states.length > 0)
    tests.push((line) => states.some((state) => line.stateIs(state)));
  if (expiresWithinSeconds !== undefined)
    tests.push((line) => line.expiresSeconds <= expiresWithinSeconds);
  return (line) => tests.every((test) => test(line));
}

function serviceTest(selector: ServiceSelector): Test {
  if ("firewallMark" in selector) {
    // The template of a firewall mark has the mark where others have the service's address.
    const bytes = selector.family === INET ? 4 : 16;
    const address = new Uint8Array(bytes);
    new DataView(address.buffer).setUint32(0, selector.firewallMark);
    const mark = { address, prefixBits: 32 };
    return (line) => line.protocolIs("IP") && line.virtualIn(mark);
  }
  const { protocol, address, port } = selector;
  const network = networkOf(address);
  const name = protocol === undefined ? undefined : PROTOCOL_NAMES[protocol];
  return (line) =>
    line.virtualIn(network) &&
    isPort(port, line.virtualPort) &&
    (name === undefined || line.protocolIs(name));
}

function serverTest({ network, port }: ServersWanted): Test {
  return (line) => line.serverIn(network) && isPort(port, line.serverPort);
}

/** Port 0 of a service is that of any port. */
function isPort(wanted: number | undefined, port: number): boolean {
  return wanted === undefined || wanted === 0 || wanted === port;
}
