import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import { formatEndpoint, TCP, TRANSPORTS, UDP } from "../../ipvs/model.js";
import { check } from "../check.js";
import type { Finding } from "../finding.js";
import type { Listener } from "./listeners.js";
import {
  endpointName,
  mayBeMasqueraded,
  type RealServer,
  type VirtualService,
} from "./real-server.js";

/** Services for which no program listens, or whose answers come from another address. */
export const listening = check(
  ["nobody-listens", "udp-wildcard"],
  ["realServer", "listeners"],
  ({ realServer, listeners }) =>
    servicesThere(realServer).flatMap((service) => [
      ...unheard(listeners, service, realServer.method === "masq").map(
        (finding) =>
          isUnsure(realServer, service) ? unlessMasqueraded(finding) : finding,
      ),
      ...(mayBeMasqueraded(realServer, service.address)
        ? []
        : wildcard(listeners, service)),
    ]),
);

/** Whether only the method tells where requests arrive. */
function isUnsure(server: RealServer, { address }: VirtualService): boolean {
  return server.method === undefined && mayBeMasqueraded(server, address);
}

function unlessMasqueraded(
  finding: Finding<"nobody-listens">,
): Finding<"nobody-listens"> {
  return {
    ...finding,
    certainty: "likely",
    evidence: [
      ...(finding.evidence ?? []),
      "the forwarding method is not known (--method): requests to a masqueraded server arrive at its own address and port",
    ],
  };
}

/** The services as requests for them arrive: with masquerading, at the address and port of the server. */
export function servicesThere({
  method,
  services,
  server,
}: Pick<RealServer, "method" | "services" | "server">): VirtualService[] {
  if (method !== "masq") return [...services];
  if (!server) return [];
  const protocols = new Set(services.map(({ protocol }) => protocol));
  return Array.from(protocols, (protocol) => ({ protocol, ...server }));
}

function unheard(
  listeners: readonly Listener[],
  service: VirtualService,
  masqueraded: boolean,
): Finding<"nobody-listens">[] {
  const { protocol, port } = service;
  // Listeners of other protocols are not known.
  if (port === undefined || (protocol ?? TCP) > UDP) return [];
  const near = listeners.filter(
    (one) => one.port === port && (protocol ?? one.protocol) === one.protocol,
  );
  if (near.some((one) => hears(one, service))) return [];
  const at = near.map((one) => formatAddress(one.address));
  const loopback = near.every(({ address }) => isLoopback(address));
  return [
    {
      id: "nobody-listens",
      subject: endpointName(service),
      seen:
        at.length === 0
          ? "no program listens at this port"
          : `programs listen at this port only at ${[...new Set(at)].join(", ")}${loopback ? ", where only programs on this machine reach them" : ""}`,
      evidence: otherPorts(listeners, service, masqueraded),
      cure: cureOf(service, masqueraded, at.length > 0),
      fix: [],
    },
  ];
}

/** More of them would hide the rest. */
const MOST_PORTS = 8;

/** Where programs do listen for other machines: one of them may be the one, at the wrong port. */
function otherPorts(
  listeners: readonly Listener[],
  { protocol, port, address }: VirtualService,
  masqueraded: boolean,
): string[] {
  const other = listeners.filter(
    (one) =>
      one.protocol === (protocol ?? one.protocol) &&
      one.port !== port &&
      (hears(one, { address }) ||
        (!isLoopback(one.address) && one.address.length === address.length)),
  );
  const names = [
    ...new Set(
      other.map(
        (one) =>
          `${TRANSPORTS[one.protocol]}/${formatEndpoint(one.address, one.port)}`,
      ),
    ),
  ];
  if (names.length === 0) return [];
  const rest = names.length - MOST_PORTS;
  const list = `${names.slice(0, MOST_PORTS).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
  return [
    `programs listen for other machines at ${list}${masqueraded ? "" : "; direct routing and tunneling do not change the port of requests, only masquerading does"}`,
  ];
}

/** Where the program must listen. With masquerading that is the server's own address and port, otherwise those of the service. */
function cureOf(
  { address, port }: VirtualService,
  masqueraded: boolean,
  isRunning: boolean,
): string {
  const whose = masqueraded
    ? `the server's own address ${formatAddress(address)}, where masqueraded requests arrive`
    : `the virtual address ${formatAddress(address)}, to which requests are still addressed`;
  const start = isRunning
    ? "Change the address in the program's configuration"
    : "Start the program";
  const elsewhere =
    !isRunning && masqueraded
      ? " If it has another port, correct the port of this real server on the director."
      : "";
  return `${start}: it must listen at port ${port ?? 0} of ${whose}, or of any address (0.0.0.0 or [::]).${elsewhere}`;
}

/** Whether an address is 127.0.0.0/8 or ::1. */
export function isLoopback(address: Address): boolean {
  return address.length === 4
    ? address[0] === 127
    : address.every((byte, at) => byte === (at === 15 ? 1 : 0));
}

/** UDP answers come from the socket's address. A socket without one uses that of the outgoing interface. */
function wildcard(
  listeners: readonly Listener[],
  service: VirtualService,
): Finding<"udp-wildcard">[] {
  const { protocol, port, address } = service;
  if (port === undefined || (protocol !== undefined && protocol !== UDP))
    return [];
  const heard = listeners.filter(
    (one) => one.protocol === UDP && one.port === port && hears(one, service),
  );
  if (
    heard.length === 0 ||
    heard.some((one) => sameAddress(one.address, address))
  )
    return [];
  return [
    {
      id: "udp-wildcard",
      subject: endpointName({ ...service, protocol: UDP }),
      seen: `the program at this UDP port listens at ${formatAddress(heard[0]?.address ?? address)}, which is any address`,
      fix: [],
    },
  ];
}

/** Whether a socket gets packets to a virtual address. */
export function hears(
  { address }: Pick<Listener, "address">,
  service: Pick<VirtualService, "address">,
): boolean {
  if (sameAddress(address, service.address)) return true;
  const any = address.every((byte) => byte === 0);
  return any && address.length >= service.address.length;
}
