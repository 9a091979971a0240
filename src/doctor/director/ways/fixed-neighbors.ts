import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import type { ServerEntry, ServiceWithServers } from "../../../ipvs/model.js";
import { formatHardwareAddress, type Neighbor } from "../../../rtnl/model.js";
import { check, type Known } from "../../check.js";
import type { Facts as AllFacts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import { deviceOf, nextHopTo, type Network } from "../../network.js";
import { shellWord } from "../../shell.js";
import { examineThere } from "../nat/examine-there.js";
import { ANSWERED, silences, waitingText } from "../reach/silence.js";

type Facts = AllFacts &
  Known<
    | "table"
    | "allServices"
    | "network"
    | "stations"
    | "connections"
    | "timeouts"
  >;

/** Permanent neighbor entries on the way to servers that do not answer, or to clients that wait for them. */
export const fixedNeighbors = check(
  ["neighbor-fixed"],
  [
    "table",
    "allServices",
    "network",
    "stations",
    "connections",
    "timeouts",
    "probes",
  ],
  (facts) => {
    const found = new Map<Neighbor, Unanswered[]>();
    for (const one of unansweredServers(facts))
      for (const entry of fixedAround(
        facts,
        one.server.key.address,
        one.clients,
      ))
        found.set(entry, [...(found.get(entry) ?? []), one]);
    return Array.from(found, ([entry, some]) => findingOf(entry, some, facts));
  },
);

interface Unanswered {
  readonly service: ServiceWithServers;
  readonly server: ServerEntry;
  readonly clients: readonly Address[];
  readonly evidence: string;
}

function unansweredServers(facts: Facts): Unanswered[] {
  return [
    ...silences(facts).map((silence) => ({
      service: silence.service,
      server: silence.server,
      clients: silence.clients,
      evidence: waitingText(silence),
    })),
    ...(facts.probes ?? [])
      .filter(({ result }) => result === "no answer")
      .map(({ service, server }) => ({
        ...{ service, server },
        clients: [],
        evidence: `${formatAddress(server.key.address)} did not answer --probe`,
      })),
  ];
}

type Signs = Pick<AllFacts, "connections"> & Known<"network">;

/** The permanent entries of the next hops to a server and to clients. */
function fixedAround(
  { network, connections }: Signs,
  server: Address,
  clients: readonly Address[],
): Neighbor[] {
  return [server, ...clients].flatMap((one) => {
    const hop = nextHopTo(network, one);
    return network.neighbors.filter(
      ({ device, address, state, hardwareAddress }) =>
        state === "permanent" &&
        hardwareAddress !== undefined &&
        device === hop?.device &&
        mayBeWrong(network, device) &&
        sameAddress(address, hop.address) &&
        (one === server || !leadsToClients(address, { network, connections })),
    );
  });
}

/** Interfaces on which network plugins make all entries permanent: nobody answers questions there */
const MADE_BY_PROGRAMS: ReadonlySet<string | undefined> = new Set([
  "vxlan",
  "geneve",
]);

function mayBeWrong(network: Network, index: number): boolean {
  const device = deviceOf(network, index);
  return device?.asksNeighbors === true && !MADE_BY_PROGRAMS.has(device.kind);
}

/** Whether servers have answered clients behind a router, or a client itself. */
function leadsToClients(
  hop: Address,
  { network, connections }: Pick<AllFacts, "connections"> & Known<"network">,
): boolean {
  return [...(connections?.byServer.values() ?? [])].flat().some(
    ({ states, clients }) =>
      [...states.keys()].some((state) => ANSWERED.has(state)) &&
      clients.some((client) => {
        const other = nextHopTo(network, client);
        return other !== undefined && sameAddress(other.address, hop);
      }),
  );
}

/** Whether a permanent neighbor entry on the way perhaps explains that a server does not answer. */
export function hasFixedNeighbor(
  facts: Signs,
  { key }: ServerEntry,
  clients: readonly Address[] = [],
): boolean {
  return fixedAround(facts, key.address, clients).length > 0;
}

function findingOf(
  entry: Neighbor,
  some: readonly Unanswered[],
  facts: Facts,
): Finding<"neighbor-fixed"> {
  const { address, device, hardwareAddress } = entry;
  const subject = formatAddress(address);
  const name = deviceOf(facts.network, device)?.name ?? "INTERFACE";
  const there = some.map(({ service, server, clients }) =>
    examineThere(service, server, facts, clients[0]),
  );
  return {
    id: "neighbor-fixed",
    subject,
    seen: `the neighbor entry of ${subject} on ${name} is permanent, with the hardware address ${formatHardwareAddress(hardwareAddress ?? new Uint8Array())}: the kernel never asks who has the address`,
    certainty: "likely",
    evidence: [...new Set(some.map(({ evidence }) => evidence))],
    next: [
      {
        command: "ip -br link",
        on: `the machine with ${subject}`,
        effect:
          "changes nothing; shows its hardware addresses, which the entry must have",
      },
      ...(address.length === 4
        ? [
            {
              command: `arping -c 2 -I ${shellWord(name)} ${subject}`,
              effect:
                "changes nothing; shows the hardware address that answers, whatever the entry says (package iputils-arping)",
            },
          ]
        : []),
      ...new Map(there.map((one) => [one.command, one])).values(),
    ],
    fix: [correction(entry, name, facts.network)],
  };
}

/** Removes the entry, or corrects it where all entries are fixed on purpose. */
function correction(entry: Neighbor, device: string, network: Network): Fix {
  const subject = formatAddress(entry.address);
  const at = `dev ${shellWord(device)}`;
  const remove = `ip neighbor del ${subject} ${at}`;
  const replace = `ip neighbor replace ${subject} lladdr LLADDR ${at} nud permanent`;
  const origin = `LLADDR is the hardware address that "ip -br link" shows on the machine with ${subject}`;
  const others = fixedBeside(entry, network);
  return others > 0
    ? {
        command: replace,
        effect: `${origin}; the entry stays permanent, like ${others === 1 ? "the other one" : `the ${others} others`} on ${device}; with "${remove}" instead, the kernel asks for the hardware address, as for any neighbor`,
      }
    : {
        command: remove,
        effect: `the kernel asks for the hardware address with the next packet; a machine that does not answer ARP or neighbor discovery needs the entry; "${replace}" corrects an entry that is fixed on purpose, such as against forged ARP: ${origin}`,
      };
}

/** How many other entries an interface has, if all of them are permanent; else 0. */
function fixedBeside(entry: Neighbor, { neighbors }: Network): number {
  const others = neighbors.filter(
    (one) =>
      one.device === entry.device &&
      one.family === entry.family &&
      one.hardwareAddress !== undefined &&
      one.state !== "noarp" &&
      !sameAddress(one.address, entry.address),
  );
  return others.every(({ state }) => state === "permanent") ? others.length : 0;
}
