import {
  familyOf,
  formatAddress,
  type Address,
} from "../../../ipvs/address.js";
import { MASQUERADING, TRANSPORTS } from "../../../ipvs/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import type { DeviceAddress } from "../../../rtnl/model.js";
import { check, type Known } from "../../check.js";
import { ofServer } from "../../commands.js";
import type { Finding, Fix } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import { iptablesProgram } from "../../firewall/iptables-program.js";
import { walk, type Place, type Walked } from "../../firewall/walk.js";
import { deviceOf, nextHopTo, type Network } from "../../network.js";
import { shellWord } from "../../shell.js";
import { CONNTRACK, sysctlFix, sysctlNumber } from "../../sysctls.js";
import { forwardedRequests } from "../firewall/flows.js";
import { trackConnections } from "../machine/settings.js";
import { silences, type Silence } from "../reach/silence.js";

type Facts = Known<
  | "table"
  | "allServices"
  | "network"
  | "stations"
  | "connections"
  | "timeouts"
  | "sysctls"
  | "firewall"
>;

/** Masqueraded servers whose clients are in their own network. */
export const clientsBeside = check(
  ["clients-beside-server"],
  [
    "table",
    "allServices",
    "network",
    "stations",
    "connections",
    "timeouts",
    "sysctls",
    "firewall",
  ],
  (facts) =>
    silences(facts).flatMap((silence): Finding<"clients-beside-server">[] => {
      const shared = besideClients(silence, facts);
      return shared ? [findingOf(silence, shared, facts)] : [];
    }),
);

/** A network that has a client and the real server of it. */
export interface SharedNetwork {
  readonly client: Address;
  /** The director's address there */
  readonly own: DeviceAddress;
}

/** The network in which a client that waits is beside its real server, so that answers go past the director. */
export function besideClients(
  { server, clients }: Silence,
  { network }: Pick<Facts, "network">,
): SharedNetwork | undefined {
  if (server.settings.forwarding !== MASQUERADING) return undefined;
  for (const client of clients) {
    const own = sharedNetwork(network, client, server.key.address);
    if (own) return { client, own };
  }
  return undefined;
}

/** The director's address in a network that has both addresses. */
export function sharedNetwork(
  network: Network,
  one: Address,
  other: Address,
): DeviceAddress | undefined {
  const [first, second] = [nextHopTo(network, one), nextHopTo(network, other)];
  if (!first || first.device !== second?.device) return undefined;
  return network.addresses.find(
    ({ device, address, prefixBits }) =>
      device === first.device &&
      isWithin(one, address, prefixBits) &&
      isWithin(other, address, prefixBits),
  );
}

function findingOf(
  { service, server, count, clients }: Silence,
  { client, own }: SharedNetwork,
  facts: Facts,
): Finding<"clients-beside-server"> {
  const { key } = server;
  const device = deviceOf(facts.network, own.device)?.name ?? "INTERFACE";
  const cidr = networkText(own);
  const [rule] = translations(service, server, facts, client);
  const tracked = sysctlNumber(facts.sysctls, CONNTRACK) === 1;
  const enable = trackConnections();
  const protocol = "firewallMark" in service.key ? 6 : service.key.protocol;
  const program = iptablesProgram(facts.firewall, familyOf(key.address));
  const translate: Fix = {
    command: `${program} -t nat -A POSTROUTING -s ${cidr} -d ${formatAddress(key.address)} -o ${shellWord(device)} -p ${TRANSPORTS[protocol]}${key.port === 0 ? "" : ` --dport ${key.port}`} -j MASQUERADE`,
    effect:
      "the server sees these clients with the director's address; add the rule to the firewall's configuration to keep it",
  };
  return {
    id: "clients-beside-server",
    ...ofServer(service, server),
    seen: `${count} ${count === 1 ? "connection waits" : "connections wait"} in SYN_RECV; client ${clients.map(formatAddress).join(", ")} is in the server's own network ${cidr}, so the server answers the client directly, past the director`,
    evidence: [
      ...(rule
        ? [
            `${describePlace(rule)}, would translate the client's address, but does not see packets of IPVS as long as net.ipv4.vs.conntrack is 0`,
          ]
        : []),
    ],
    fix: [
      ...(tracked ? [] : [enable]),
      ...(rule ? [] : [translate]),
      ...hostRoute(server, { client, own }, device, facts),
    ],
  };
}

/** What helps instead of SNAT: the server sends the answers to the client through the director, and sees its address. */
function hostRoute(
  { key }: Silence["server"],
  { client, own }: SharedNetwork,
  device: string,
  { sysctls }: Facts,
): Fix[] {
  const isIpv4 = key.address.length === 4;
  const paths = ["all", device].map(
    (name) => `net/ipv4/conf/${name}/send_redirects`,
  );
  const redirects =
    isIpv4 && paths.some((path) => sysctlNumber(sysctls, path) === 1);
  const need = isIpv4
    ? "send_redirects must be 0 on the director"
    : "accept_redirects must be 0 on the server's interface";
  return [
    ...(redirects
      ? [
          sysctlFix(
            Object.fromEntries(paths.map((path) => [path, 0])),
            "instead of SNAT, together with the next command: redirects would teach the server the direct way again; this machine sends none to other hosts either",
          ),
        ]
      : []),
    {
      command: `ip route add ${formatAddress(client)} via ${formatAddress(own.address)}`,
      on: `real server ${formatAddress(key.address)}`,
      effect: `instead of SNAT, and the server sees the client's own address: it answers this client through the director; each client in ${networkText(own)} needs such a route; ${need}`,
    },
  ];
}

/** The SNAT rules that the request meets, if connection tracking knows it. */
export function translations(
  service: Silence["service"],
  server: Silence["server"],
  facts: TranslationFacts,
  client?: Address,
): Place[] {
  return walksOf(service, server, facts, client).flatMap(
    (walked) => walked.translations,
  );
}

/** Also those that have matched no packet, and that perhaps do not match the request. */
export function possibleTranslations(
  service: Silence["service"],
  server: Silence["server"],
  facts: TranslationFacts,
  client?: Address,
): Place[] {
  return walksOf(service, server, facts, client).flatMap((walked) => [
    ...walked.translations,
    ...walked.unusedTranslations,
  ]);
}

type TranslationFacts = Pick<
  Facts,
  "network" | "sysctls" | "connections" | "allServices" | "firewall"
>;

/** What postrouting does to requests to a server. */
function walksOf(
  service: Silence["service"],
  server: Silence["server"],
  facts: TranslationFacts,
  client?: Address,
): Walked[] {
  return forwardedRequests(service, server, facts, client)
    .flatMap(({ stages }) => stages)
    .filter(({ hook }) => hook === "postrouting")
    .flatMap(({ packets }) => packets)
    .map((packet) =>
      walk(facts.firewall, "postrouting", { ...packet, states: ["new"] }),
    );
}

/** A network such as 10.0.0.0/24. */
function networkText({ address, prefixBits }: DeviceAddress): string {
  const base = address.map((byte, at) => {
    const kept = Math.min(8, Math.max(0, prefixBits - 8 * at));
    return byte & (0xff00 >> kept) & 0xff;
  });
  return `${formatAddress(base)}/${prefixBits}`;
}
