import {
  INET,
  INET6,
  type Address,
  type Family,
} from "../../../ipvs/address.js";
import {
  MASQUERADING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { serviceName } from "../../commands.js";
import type { Facts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import { describeAction, describePlace } from "../../firewall/describe.js";
import { acceptRule } from "../../firewall/accept-rule.js";
import { isSame, stopsOf, type Flow } from "../../firewall/flow.js";
import { judgeAll } from "../../firewall/judge.js";
import {
  DESTINATION_UNREACHABLE,
  FRAGMENTATION_NEEDED,
  ICMP,
  ICMPV6,
  PACKET_TOO_BIG,
  type Packet,
} from "../../firewall/packet.js";
import type { Stop } from "../../firewall/walk.js";
import type { SentErrors } from "../../read-sent-errors.js";
import { CONNTRACK, sysctlNumber } from "../../sysctls.js";
import { clientsOf } from "./flow-clients.js";
import type { FlowFacts } from "./flows.js";
import {
  describeSizes,
  narrowWays,
  USUAL_MTU,
  type NarrowWay,
} from "./narrow-ways.js";
import { isPassive } from "../reach/reach.js";

/** A firewall rule that stops, or perhaps stops, the messages that ask clients for smaller packets. */
interface TooBigBlockage {
  readonly ways: readonly NarrowWay[];
  readonly flow: Flow;
  readonly stop: Stop;
}

type Id = "too-big-message-blocked" | "too-big-message-would-be-blocked";

/** Firewall rules of the director that stop the messages that ask clients for smaller packets. */
export const tooBigMessages = check(
  ["too-big-message-blocked", "too-big-message-would-be-blocked"],
  [
    "table",
    "allServices",
    "daemons",
    "network",
    "connections",
    "sysctls",
    "firewall",
  ],
  (facts) => {
    if (isPassive(facts.daemons)) return [];
    const blockages = facts.table
      .flatMap((service) => tooBigBlockages(service, facts))
      .filter(({ stop }) => stop.certain);
    return byStop(blockages).map((some) => findingOf(some, facts));
  },
);

/**
 * The rules that stop the messages to clients of a service. None if all packets of clients fit.
 *
 * @param client undefined: clients in general
 */
function tooBigBlockages(
  service: ServiceWithServers,
  facts: FlowFacts & Known<"firewall">,
  client?: Address,
): TooBigBlockage[] {
  const ways = narrowWays(service, facts, client);
  if (ways.length === 0) return [];
  const found: TooBigBlockage[] = [];
  for (const flow of messagesOf(service, ways, facts, client)) {
    const stops = stopsOf(flow, facts.firewall).filter(
      ({ does }) => does !== "redirect",
    );
    found.push(...stops.map((stop) => ({ ways, flow, stop })));
    if (stops.some(({ certain }) => certain)) break;
  }
  return found;
}

function nameOf(family: Family): string {
  return family === INET
    ? "ICMP messages fragmentation needed"
    : "ICMPv6 messages packet too big";
}

/** IPVS handles messages about its connections in the hook output, before the filter. @see ip_vs_ops4 in ip_vs_core.c */
const IPVS_OUTPUT_PRIORITY = -99;

/**
 * The messages of the director to clients, before and after IPVS handles them. The kernel relates them to the connection
 * of the packet. Without net.ipv4.vs.conntrack IPVS then takes those of direct routing and tunneling out of connection
 * tracking; it does not recognize those of masqueraded servers.
 *
 * @see handle_response_icmp() in net/netfilter/ipvs/ip_vs_core.c, ip_vs_conn_out_get() in ip_vs_conn.c
 */
function messagesOf(
  { key }: ServiceWithServers,
  ways: readonly NarrowWay[],
  facts: FlowFacts,
  client: Address | undefined,
): Flow[] {
  const { family } = key;
  const match =
    family === INET
      ? {
          family,
          protocol: ICMP,
          icmpType: DESTINATION_UNREACHABLE,
          icmpCode: FRAGMENTATION_NEEDED,
        }
      : { family, protocol: ICMPV6, icmpType: PACKET_TOO_BIG };
  const tracked = sysctlNumber(facts.sysctls, CONNTRACK) === 1;
  const messages = ways.flatMap(({ service, server }) =>
    clientsOf(service, server, facts, client).map(({ address, device }) => {
      const packet: Packet = {
        ...match,
        icmpCode: match.icmpCode ?? 0,
        outgoing: device,
        // The kernel answers from the address that the packet was for.
        source: "firewallMark" in key ? undefined : key.address,
        destination: address,
        mark: 0,
        states: ["related"],
        destinationIsLocal: false,
      };
      const stays = tracked || isMasqueraded(server);
      // Earlier rules perhaps set a mark.
      const later: Packet = {
        ...packet,
        mark: undefined,
        states: [stays ? "related" : "untracked"],
      };
      return { packet, later };
    }),
  );
  const packets = messages.map(({ packet }) => packet);
  const later = messages.map((message) => message.later);
  const flow = { text: nameOf(family), match };
  return [
    {
      ...flow,
      stages: [
        { hook: "output", packets, range: { before: IPVS_OUTPUT_PRIORITY } },
      ],
    },
    {
      ...flow,
      stages: [
        {
          hook: "output",
          packets: later,
          range: { from: IPVS_OUTPUT_PRIORITY },
        },
        { hook: "postrouting", packets: later },
      ],
    },
  ];
}

/** One rule is one cause, no matter how many services it concerns. */
function byStop(blockages: readonly TooBigBlockage[]): TooBigBlockage[][] {
  const groups: TooBigBlockage[][] = [];
  for (const blockage of blockages) {
    const group = groups.find(
      ([first]) =>
        first &&
        isSame(first.stop, blockage.stop) &&
        first.flow.text === blockage.flow.text,
    );
    if (group) group.push(blockage);
    else groups.push([blockage]);
  }
  return groups;
}

function findingOf(
  blockages: readonly TooBigBlockage[],
  { sentErrors, sysctls }: Facts & Known<"sysctls">,
): Finding<Id> {
  const [first] = blockages;
  if (!first) throw new Error("no blockage");
  const { flow, stop } = first;
  const ways = blockages.flatMap((one) => one.ways);
  const services = new Set(ways.map(({ service }) => serviceName(service)));
  const proof = proofOf(flow, stop, sentErrors);
  return {
    id:
      proof === undefined
        ? "too-big-message-would-be-blocked"
        : "too-big-message-blocked",
    subject: [...services].join(", "),
    seen: `${describePlace(stop)}, ${describeAction(stop, `${flow.text} to clients`)}`,
    // Other messages count as well if the rule stops them.
    ...(proof === undefined || isSpecific(flow, stop)
      ? {}
      : { certainty: "likely" as const }),
    evidence: [
      ...describeSizes(ways).map((text) => `packets of ${text}`),
      ...new Set(ways.map(({ reason, arrival }) => `${reason}; ${arrival}`)),
      ...(proof === undefined ? [] : [proof]),
      ...(isByState(stop) &&
      sysctlNumber(sysctls, CONNTRACK) === 0 &&
      !ways.some(({ server }) => isMasqueraded(server))
        ? [
            "net.ipv4.vs.conntrack is 0, so connection tracking calls these messages untracked in the filter, and not related",
          ]
        : []),
    ],
    fix: [acceptRule(flow, stop)],
  };
}

function isMasqueraded({ settings }: ServerEntry): boolean {
  return settings.forwarding === MASQUERADING;
}

/** Whether a chain asks for the state of a connection. */
function isByState({ chain }: Stop): boolean {
  return chain.rules.some(({ text }) => /\bstate\b|ctstate/.test(text));
}

/** Messages that a director sends for other reasons: echo replies, and refusals of datagrams */
const OTHER_MESSAGES = {
  [INET]: [
    { icmpType: 0, icmpCode: 0 },
    { icmpType: DESTINATION_UNREACHABLE, icmpCode: 3 },
  ],
  [INET6]: [
    { icmpType: 129, icmpCode: 0 },
    { icmpType: 1, icmpCode: 4 },
  ],
} as const;

/** Whether a rule matches no other messages, as far as its type and code tell. */
function isSpecific({ match }: Flow, { rule }: Stop): boolean {
  const { family, protocol } = match;
  const conditions = (rule?.steps ?? []).flatMap((step) =>
    "if" in step ? [step.if] : [],
  );
  return OTHER_MESSAGES[family].every(
    (other) => judgeAll(conditions, { family, protocol, ...other }) === "no",
  );
}

/** The kernel puts as much of the packet that is too large into a message for IPv4 as fits into 576 bytes. Echo replies and other refusals are much smaller. */
const LARGE_MESSAGE = 300n;

/** What the counters say if the rule has dropped such messages; undefined if they do not say it. */
function proofOf(
  { match }: Flow,
  { packets, bytes }: Stop,
  sent: SentErrors | undefined,
): string | undefined {
  if (!sent || packets === 0n) return undefined;
  if (match.family !== INET)
    return sent.tooBig === 0n
      ? undefined
      : `the kernel has made ${sent.tooBig} of these messages (Icmp6OutType2)`;
  if (packets === undefined || bytes === undefined) return undefined;
  const average = bytes / packets;
  return sent.unreachable === 0n || average < LARGE_MESSAGE
    ? undefined
    : `the kernel has made ${sent.unreachable} messages destination unreachable (IcmpOutDestUnreachs), and the packets that the rule has dropped have ${average} bytes on average: about as many as these messages about large packets`;
}

/** Whether the usual packets of clients do not fit. A way can be wide enough for them, and narrower than an interface. */
function isTooNarrow({ fits }: NarrowWay): boolean {
  return fits < USUAL_MTU;
}

/** The facts that tell what happens to large packets */
type SizeFacts = FlowFacts & Known<"table" | "firewall">;

/** What becomes of a client's large packets, as texts: rules that stop the messages to it, and the sizes that fit. */
export function sizesFor(
  facts: SizeFacts,
  client: Address,
): { readonly blocked: string[]; readonly fitting: string[] } {
  const services = facts.table.filter(
    ({ key }) => (key.family === INET) === (client.length === 4),
  );
  const blocked = services
    .flatMap((service) => tooBigBlockages(service, facts, client))
    .map(
      ({ ways, flow, stop }) =>
        `${describePlace(stop)}, ${stop.certain ? "" : "perhaps "}${describeAction(stop, flow.text)}: of the client's packets, ${describeSizes(ways).join("; ")}, and the client does not learn that larger ones are dropped${stop.certain ? "; 'ipvsadm doctor' prints the fix" : ""}`,
    );
  const ways = services.flatMap((service) =>
    narrowWays(service, facts, client),
  );
  return {
    blocked: [...new Set(blocked)],
    fitting: [
      ...describeSizes(ways.filter(isTooNarrow)).map(
        (text) =>
          `packets of ${text}; for larger ones the director sends the client ${nameOf(client.length === 4 ? INET : INET6)}`,
      ),
      ...describeSizes(ways.filter((way) => !isTooNarrow(way))).map(
        (text) =>
          `packets of ${text}, so those of a client with the usual MTU of ${USUAL_MTU} fit`,
      ),
    ],
  };
}

/** More lines would hide the rest. */
const MOST_LINES = 5;

/** What doctor does not know of large packets: rules that perhaps stop the messages to clients, and firewalls elsewhere. */
export function largePackets(facts: Facts): string[] {
  const { table, allServices, network, connections, sysctls, firewall } = facts;
  if (!table || !allServices || !network || !connections) return [];
  if (!sysctls || !firewall || isPassive(facts.daemons ?? [])) return [];
  const known = { allServices, network, connections, sysctls, firewall };
  const perhaps = table
    .flatMap((service) => tooBigBlockages(service, known))
    .filter(({ stop }) => !stop.certain)
    .map(
      ({ flow, stop }) =>
        `${describePlace(stop)}, perhaps ${describeAction(stop, `${flow.text} to clients`)}`,
    );
  const families: readonly Family[] = [INET, INET6];
  const elsewhere = families.flatMap((family) => {
    const ways = table
      .filter(({ key }) => key.family === family)
      .flatMap((service) => narrowWays(service, known))
      .filter(isTooNarrow);
    return ways.length === 0
      ? []
      : [
          `whether firewalls between this machine and clients let ${nameOf(family)} pass (packets of ${describeSizes(ways).join("; ")})`,
        ];
  });
  return [...new Set(perhaps)].slice(0, MOST_LINES).concat(elsewhere);
}
