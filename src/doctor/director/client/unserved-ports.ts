import { formatAddress, sameAddress } from "../../../ipvs/address.js";
import { MASQUERADING, TCP } from "../../../ipvs/model.js";
import type { Fix } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import {
  directorFlows,
  type DirectorFlow,
} from "../../packets/director-flows.js";
import {
  counted,
  protocolName,
  SILENCE_MILLISECONDS,
} from "../../packets/packet-fact.js";
import type { PacketSightings } from "../../packets/sightings.js";
import { isPassive } from "../reach/reach.js";
import { FIRST_DATA_PORT, FTP_PORT } from "../table/ftp.js";
import {
  hasService,
  isVirtual,
  nearestRule,
  otherProtocol,
} from "./services-of-flows.js";
import type { ClientSightings, TraceFacts, TraceStep } from "./trace-step.js";

/** A connection that no service takes. */
interface Unserved {
  readonly flow: DirectorFlow;
  /** What this machine does: `resets` */
  readonly does: string;
  readonly how?: string;
  readonly isRefused: boolean;
  /** It is perhaps a data connection of a client that is logged in for FTP */
  readonly isData: boolean;
  /** A service at this port has this protocol */
  readonly other: string | undefined;
}

type Followed = Pick<ClientSightings, "client" | "connections">;

const MOST_STEPS = 4;
const MOST_PORTS = 5;

/** Requests to a virtual address that no service takes, and that this machine refuses or ignores. */
export function unservedSteps(
  facts: TraceFacts,
  sightings: Followed,
  packets: PacketSightings,
): TraceStep[] {
  if (isPassive(facts.daemons)) return [];
  const { client } = sightings;
  const flows = directorFlows(packets.halfFlows, {
    client,
    devices: facts.network.devices,
    connections: sightings.connections.map(({ connection }) => connection),
  });
  const groups = new Map<string, Unserved[]>();
  for (const flow of flows) {
    const one = unserved(flow, flows, facts, sightings, packets);
    if (!one) continue;
    const name = [
      flow.protocol,
      formatAddress(flow.virtual),
      one.does,
      one.how,
      one.isData,
      one.other,
    ].join(" ");
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  return [...groups.values()]
    .toSorted(([a], [b]) => Number(b?.isData) - Number(a?.isData))
    .slice(0, MOST_STEPS)
    .map((some) => stepOf(some, flows, facts, sightings, packets));
}

/** @returns undefined if a service takes the packets, or nothing is known of them */
function unserved(
  flow: DirectorFlow,
  flows: readonly DirectorFlow[],
  facts: TraceFacts,
  sightings: Followed,
  packets: PacketSightings,
): Unserved | undefined {
  const { requestsIn, requestsOut, answersIn, hasEntry } = flow;
  const { client } = sightings;
  if (hasEntry || requestsOut.packets + answersIn.packets > 0) return undefined;
  // A connection that began earlier may have lost its entry.
  if (flow.protocol === TCP && (requestsIn.tcp?.opens.count ?? 0) === 0)
    return undefined;
  const fate = fateOf(flow, packets);
  if (!fate || hasService(flow, facts, client) !== "no") return undefined;
  const isAtVirtual =
    isVirtual(flow.virtual, facts, client) ||
    flows.some((one) => one.hasEntry && sameAddress(one.virtual, flow.virtual));
  if (!isAtVirtual) return undefined;
  return {
    flow,
    ...fate,
    isData:
      fate.isRefused &&
      flow.protocol === TCP &&
      flow.virtualPort >= FIRST_DATA_PORT &&
      isLoggedIn(flow, flows, sightings),
    other: otherProtocol(flow, facts, client),
  };
}

/** What this machine does with the packets of a flow; undefined if it serves them, or that cannot be told yet. */
function fateOf(
  { protocol, clientPort, virtual, virtualPort, ...legs }: DirectorFlow,
  { errors, ended, ...capture }: PacketSightings,
): Pick<Unserved, "does" | "how" | "isRefused"> | undefined {
  const { answersOut, requestsIn } = legs;
  const { tcp } = answersOut;
  if (answersOut.packets > 0)
    return tcp && tcp.resets.count > 0 && tcp.accepts.count === 0
      ? { does: "resets", isRefused: true }
      : undefined;
  const error = errors.find(
    ({ direction, about }) =>
      direction === "out" &&
      about?.protocol === protocol &&
      about.sourcePort === clientPort &&
      about.targetPort === virtualPort &&
      sameAddress(about.target, virtual),
  );
  if (error)
    return {
      does: "refuses",
      how: ` with ICMP errors (${error.name})`,
      isRefused: true,
    };
  return capture.lost + capture.unkept === 0 &&
    ended - requestsIn.first >= SILENCE_MILLISECONDS
    ? { does: "does not answer", isRefused: false }
    : undefined;
}

/** Whether a connection of the client to port 21 of the same virtual address passes, and is as old at least. */
function isLoggedIn(
  { virtual, requestsIn }: DirectorFlow,
  flows: readonly DirectorFlow[],
  { connections }: Followed,
): boolean {
  return (
    flows.some(
      (one) =>
        one.protocol === TCP &&
        one.virtualPort === FTP_PORT &&
        sameAddress(one.virtual, virtual) &&
        one.requestsOut.packets > 0 &&
        (one.requestsIn.tcp?.confirms.count ?? 0) > 0 &&
        one.requestsIn.first <= requestsIn.first,
    ) ||
    connections.some(
      ({ connection: one, use }) =>
        use !== "idle" &&
        one.protocol === "TCP" &&
        one.state === "ESTABLISHED" &&
        one.virtualPort === FTP_PORT &&
        sameAddress(one.virtual, virtual),
    )
  );
}

/** After so many refused connections, it is no matter of packets that tcpdump lost. */
const MANY_REFUSED = 3;

/**
 * Whether packets that were not seen were not there. There was room for those that passed if there was room for the reset,
 * which came later.
 */
function isProven(
  some: readonly Unserved[],
  { lost, unkept }: PacketSightings,
): boolean {
  return (
    (lost === 0 || some.length >= MANY_REFUSED) &&
    (unkept === 0 || some.every(({ does }) => does === "resets"))
  );
}

/** Whether other connections of the client, which are perhaps data connections of FTP, pass. */
function hasOtherData(
  { virtual }: DirectorFlow,
  flows: readonly DirectorFlow[],
  { allServices }: TraceFacts,
): boolean {
  return flows.some(
    (one) =>
      one.protocol === TCP &&
      one.virtualPort >= FIRST_DATA_PORT &&
      one.requestsOut.packets > 0 &&
      sameAddress(one.virtual, virtual) &&
      !allServices.some(
        ({ key }) =>
          "address" in key &&
          key.protocol === TCP &&
          key.port === one.virtualPort &&
          sameAddress(key.address, virtual),
      ),
  );
}

function stepOf(
  some: readonly Unserved[],
  flows: readonly DirectorFlow[],
  facts: TraceFacts,
  { client }: Followed,
  packets: PacketSightings,
): TraceStep {
  const [first] = some;
  if (!first) return { step: "packets", state: "unknown", text: "" };
  const { flow, does, how = "", isData, other } = first;
  const them = some.length === 1 ? "it" : "them";
  const name = protocolName(flow.protocol);
  const what =
    flow.protocol === TCP
      ? counted(some.length, "new connection")
      : counted(
          some.reduce((sum, one) => sum + one.flow.requestsIn.packets, 0),
          "packet",
        );
  const ports = new Set(some.map((one) => one.flow.virtualPort));
  const { unread } = facts.firewall;
  const near = nearestRule(flow, facts, client);
  const { cause, next } = isData
    ? dataText(flow, near !== undefined, facts)
    : { cause: undefined, next: undefined };
  const isCertain =
    isData &&
    unread.length === 0 &&
    isProven(some, packets) &&
    !hasOtherData(flow, flows, facts);
  const texts = [
    `${name} ${formatAddress(flow.virtual)}: ${what} to ${portsText(ports)}: no service takes ${them}${unread.length > 0 ? ", as far as the rules could be read" : ""}, and this machine ${does} ${them}${how}`,
    ...(other === undefined
      ? []
      : [
          `the service at ${ports.size === 1 ? "this port" : "these ports"} is for ${other} only`,
        ]),
    ...(near
      ? [
          `the nearest rule that sets a mark of a service is ${describePlace(near.rule)}: mark ${near.rule.firewallMark} for ${rangesText(near.ports)}`,
        ]
      : []),
    ...(cause === undefined ? [] : [cause]),
  ];
  return {
    step: "packets",
    state: isCertain ? "stops" : "unknown",
    text: texts.join("; "),
    next,
  };
}

/** What data connections of FTP need. */
function dataText(
  { virtual }: DirectorFlow,
  isMarked: boolean,
  { allServices }: TraceFacts,
): { cause: string; next: Fix | undefined } {
  const ftp = `a connection of the client to port ${FTP_PORT} passes, so these are probably data connections of FTP`;
  const service = allServices.find(
    ({ key }) =>
      "address" in key &&
      key.protocol === TCP &&
      key.port === FTP_PORT &&
      sameAddress(key.address, virtual),
  );
  if (service || !isMarked) {
    const kind = service?.servers.some(
      ({ settings }) => settings.forwarding === MASQUERADING,
    )
      ? "ftp-helper-missing"
      : "ftp-not-persistent";
    return {
      cause: `${ftp}: 'ipvsadm doctor --explain ${kind}' says what they need`,
      next: undefined,
    };
  }
  return {
    cause: `${ftp}, to ports for which no rule sets the mark: extend the ports of the rule, or give the FTP servers a range of passive ports within them (vsftpd: pasv_min_port and pasv_max_port; ProFTPD: PassivePorts; Pure-FTPd: -p)`,
    next: {
      command: "sysctl net.ipv4.ip_local_port_range",
      on: "the FTP servers",
      effect:
        "changes nothing; an FTP server without a range of passive ports of its own takes them from this one",
    },
  };
}

/** `port 80`, `ports 80, 443 and 3 more` */
function portsText(ports: ReadonlySet<number>): string {
  const all = [...ports].toSorted((a, b) => a - b);
  const shown = all.slice(0, MOST_PORTS).join(", ");
  const more = all.length - MOST_PORTS;
  return `${all.length === 1 ? "port" : "ports"} ${shown}${more > 0 ? ` and ${more} more` : ""}`;
}

/** `port 21`, `ports 10000:20000` */
function rangesText(ranges: readonly (readonly [number, number])[]): string {
  const shown = ranges
    .slice(0, MOST_PORTS)
    .map(([first, last]) => (first === last ? `${first}` : `${first}:${last}`));
  const isOne = ranges.length === 1 && ranges[0]?.[0] === ranges[0]?.[1];
  return `${isOne ? "port" : "ports"} ${shown.join(", ")}${ranges.length > MOST_PORTS ? " …" : ""}`;
}
