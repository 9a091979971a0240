import { INET } from "../../ipvs/address.js";
import type { ServiceSelector } from "../../grammar/selector.js";
import type { ConnectionReader } from "../../ipvs/connection-reader.js";
import type { ServerFilter } from "../../cli/network-filters.js";
import { networkOf, type Network } from "../../ipvs/ip-network.js";
import { PROTOCOL_NAMES } from "../../ipvs/model.js";

/** Selects connections. Values of one filter are ORed; different filters are ANDed. An empty filter selects everything. */
export interface Filters {
  readonly services: readonly ServiceSelector[];
  readonly clients: readonly Network[];
  readonly servers: readonly ServerFilter[];
  /** As the kernel writes them: `TCP` */
  readonly protocols: readonly string[];
  /** As the kernel writes them: `SYN_RECV` */
  readonly states: readonly string[];
  readonly expiresWithinSeconds: number | undefined;
}

/** Tests the current connection of a reader. */
export type Test = (line: ConnectionReader) => boolean;

/** Makes a test that parses as little of a line as possible. */
export function testFor(filters: Filters): Test {
  const { expiresWithinSeconds } = filters;
  const tests = [
    ...anyOf(filters.clients, (network) => (line) => line.clientIn(network)),
    ...anyOf(filters.services, serviceTest),
    ...anyOf(filters.servers, serverTest),
    ...anyOf(filters.protocols, (name) => (line) => line.protocolIs(name)),
    ...anyOf(filters.states, (state) => (line) => line.stateIs(state)),
  ];
  if (expiresWithinSeconds !== undefined)
    tests.push((line) => line.expiresSeconds <= expiresWithinSeconds);
  const [only] = tests;
  if (tests.length === 1 && only !== undefined) return only;
  return (line) => tests.every((test) => test(line));
}

/** One test for all values of a filter. None if the filter is empty. */
function anyOf<Value>(
  filter: readonly Value[],
  testOf: (value: Value) => Test,
): Test[] {
  const tests = filter.map(testOf);
  return tests.length < 2
    ? tests
    : [(line) => tests.some((test) => test(line))];
}

function serviceTest(selector: ServiceSelector): Test {
  if ("firewallMark" in selector) {
    // A template of a firewall mark has the mark in the place of the virtual address.
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

function serverTest({ network, port }: ServerFilter): Test {
  return (line) => line.serverIn(network) && isPort(port, line.serverPort);
}

/** A service with port 0 takes connections to any port. */
function isPort(selected: number | undefined, port: number): boolean {
  return selected === undefined || selected === 0 || selected === port;
}
