import type { Address } from "../../ipvs/address.js";
import { MASQUERADING, type ServiceWithServers } from "../../ipvs/model.js";
import type { Known } from "../check.js";
import type { Facts } from "../facts.js";
import { reasonsOf, unknownSizes } from "../path-size.js";
import { describeAction, describePlace } from "../firewall/describe.js";
import { packetsSince } from "../firewall/later-ruleset.js";
import { stopLimit } from "../firewall/source-limit.js";
import {
  blockagesOf,
  describeBlockage,
  type Blockage,
} from "./firewall/blockages.js";
import { unseenLargeAnswers } from "./firewall/large-answers.js";
import { largePackets } from "./firewall/too-big-messages.js";
import { isServing } from "./reach/reach.js";
import { skippedTexts, type Skipped } from "./servers/probe.js";
import { untriedSizes } from "./servers/size-targets.js";
import { syncBlockages, type SyncBlockage } from "./sync/firewall.js";
import { unheardSync } from "./sync/unheard.js";

/** What no examination of a director checks. */
export const NEVER_CHECKED = [
  "the real servers' own settings and firewalls (run ipvsadm doctor --real-server there)",
  "the network between the machines, and firewalls there",
  "tc filters and eBPF programs on this machine",
];

/** How a director was examined */
interface Examination {
  readonly probe: boolean;
  /** The servers that the probe left out */
  readonly skipped: readonly Skipped[];
  /** A client that is followed */
  readonly client: Address | undefined;
}

/** What the checks of a director cannot tell from the facts, in words. */
export function notChecked(
  facts: Facts & Known<"table" | "daemons">,
  { probe, skipped, client }: Examination,
): string[] {
  const { table, daemons, heard, firewall, network, connections } = facts;
  return [
    ...(firewall?.unread ?? []),
    ...(firewall ? unjudgedRules(facts) : []),
    ...(heard ? unheardSync(daemons, heard, connections) : []),
    ...(heard && firewall && network
      ? perhapsBlocked(syncBlockages(daemons, heard, network, firewall))
      : []),
    ...(firewall ? largePackets(facts) : []),
    ...(firewall ? unseenLargeAnswers(facts) : []),
    ...(probe
      ? [
          ...skippedTexts(skipped),
          ...unprobed(table),
          ...unknownSizes(reasonsOf(facts.sizes ?? [])),
        ]
      : [
          ...(network ? untriedSizes({ table, network }) : []),
          "whether real servers accept connections and datagrams (--probe tries them)",
        ]),
    ...(client
      ? []
      : ["whether requests reach this machine (--client follows a client)"]),
    ...NEVER_CHECKED,
  ];
}

/** More rules would hide the rest. */
const MOST_UNJUDGED = 5;

/** Rules that perhaps stop sync messages. */
function perhapsBlocked(blockages: readonly SyncBlockage[]): string[] {
  const found = blockages
    .filter(({ stop }) => !stop.certain)
    .map(
      ({ flow, stop }) =>
        `${describePlace(stop)}, perhaps ${describeAction(stop, flow.text)}`,
    );
  return [...new Set(found)].slice(0, MOST_UNJUDGED);
}

/** What a probe of a server's own address does not try. */
function unprobed(table: readonly ServiceWithServers[]): string[] {
  const indirect = table.some(({ servers }) =>
    servers.some(
      (server) =>
        isServing(server) && server.settings.forwarding !== MASQUERADING,
    ),
  );
  return indirect
    ? [
        "requests to the virtual address on servers with direct routing or tunneling (a probe connects to the server's own address)",
      ]
    : [];
}

/** Rules that perhaps stop traffic, and have matched packets. */
function unjudgedBlockages({
  table,
  allServices,
  network,
  connections,
  sysctls,
  firewall,
  firewallLater,
}: Facts): Blockage[] {
  if (!table || !allServices || !network || !connections) return [];
  if (!sysctls || !firewall) return [];
  const facts = { network, connections, sysctls, allServices };
  return (
    table
      .flatMap((service) => blockagesOf(service, facts, firewall))
      .filter(({ stop }) => !stop.certain)
      // A limit that stops packets now is a finding.
      .filter(
        ({ stop }) =>
          stopLimit(stop) === undefined ||
          (packetsSince(stop, firewallLater) ?? 0n) === 0n,
      )
  );
}

/** How many rules perhaps stop traffic, and have matched packets. */
export function countUnjudged(facts: Facts): number {
  const places = unjudgedBlockages(facts).map(({ stop }) =>
    describePlace(stop),
  );
  return new Set(places).size;
}

function unjudgedRules(facts: Facts): string[] {
  const found = new Set(
    unjudgedBlockages(facts).map(
      ({ flow, stop }) =>
        `${describePlace(stop)}, perhaps ${describeBlockage([{ flow, stop }])}`,
    ),
  );
  const all = [...found];
  return all.length <= MOST_UNJUDGED
    ? all
    : [
        ...all.slice(0, MOST_UNJUDGED),
        `${all.length - MOST_UNJUDGED} more rules that perhaps stop traffic`,
      ];
}
