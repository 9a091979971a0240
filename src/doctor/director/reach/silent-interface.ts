import { formatAddress, sameAddress } from "../../../ipvs/address.js";
import {
  formatEndpoint,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import type { Known } from "../../check.js";
import { ofServer, serviceName } from "../../commands.js";
import type { Finding, Fix } from "../../finding.js";
import { deviceOf, nextHopTo, type Network } from "../../network.js";
import { shellWord } from "../../shell.js";
import { faultBelow } from "./interface-below.js";
import type { Device } from "../../../rtnl/model.js";

/** A real server behind an interface. */
interface Behind {
  readonly service: ServiceWithServers;
  readonly server: ServerEntry;
  /** The next hop to it, as text */
  readonly hop: string;
  readonly device: number;
}

/** More are only counted. */
const MOST_NAMED = 6;

/**
 * One finding instead of those of all servers behind an interface, if none of them answers.
 *
 * @param findings those of single servers
 * @param serving the services with the servers that get new connections
 * @param silentIds the findings that say that a server does not answer
 */
export function withSilentInterfaces<Id extends string>(
  findings: readonly Finding<Id>[],
  serving: readonly ServiceWithServers[],
  { network }: Known<"network">,
  silentIds: ReadonlySet<string>,
): Finding<Id | "interface-silent">[] {
  const behind = serving.flatMap((service) =>
    service.servers.flatMap((server): Behind[] => {
      const hop = nextHopTo(network, server.key.address);
      return hop
        ? [
            {
              service,
              server,
              hop: formatAddress(hop.address),
              device: hop.device,
            },
          ]
        : [];
    }),
  );
  const silent = new Set(
    findings
      .filter(({ id }) => silentIds.has(id))
      .map(({ subject }) => subject),
  );
  const merged: Finding<"interface-silent">[] = [];
  const gone = new Set<string | undefined>();
  for (const index of new Set(behind.map(({ device }) => device))) {
    const device = deviceOf(network, index);
    const some = behind.filter((one) => one.device === index);
    const subjects = some.map(subjectOf);
    if (!device || !subjects.every((one) => silent.has(one))) continue;
    const finding = silentInterface(device, some, network);
    if (!finding) continue;
    merged.push(finding);
    for (const one of subjects) gone.add(one);
  }
  return [
    ...merged,
    ...findings.filter(
      ({ id, subject }) => !silentIds.has(id) || !gone.has(subject),
    ),
  ];
}

function subjectOf({ service, server }: Behind): string | undefined {
  return ofServer(service, server).subject;
}

function silentInterface(
  device: Device,
  behind: readonly Behind[],
  network: Network,
): Finding<"interface-silent"> | undefined {
  const hops = [...new Set(behind.map(({ hop }) => hop))];
  const fault = faultBelow(network, device);
  // A single server or router is rather dead by itself, and a neighbor that answers shows that the interface works.
  if (!fault && (hops.length < 2 || hasNeighbor(device, hops, network)))
    return undefined;
  const { name } = device;
  const more = hops.length - MOST_NAMED;
  const named = `${hops.slice(0, MOST_NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  const none =
    hops.length === 1
      ? `${named} does not answer there`
      : `none of the ${hops.length} next hops to real servers answers there: ${named}`;
  return {
    id: "interface-silent",
    subject: name,
    seen: fault ? `${fault.seen}; ${none}` : none,
    certainty: fault ? "proven" : "likely",
    evidence: serversByService(behind),
    next: fault && fault.fix.length > 0 ? [] : lookAt(device),
    fix: fault?.fix ?? [],
  };
}

/** Whether another neighbor has answered on an interface in the last seconds. */
function hasNeighbor(
  { index }: Device,
  hops: readonly string[],
  { neighbors }: Network,
): boolean {
  return neighbors.some(
    ({ device, address, state }) =>
      device === index &&
      state === "reachable" &&
      !hops.includes(formatAddress(address)),
  );
}

/** `tcp/192.0.2.100:80 has there 10.0.0.11:8080, 10.0.0.12:8080` */
function serversByService(behind: readonly Behind[]): string[] {
  const services = new Set(behind.map(({ service }) => service));
  return [...services].map((service) => {
    const servers = behind
      .filter((one) => one.service === service)
      .map(({ server: { key } }) => formatEndpoint(key.address, key.port));
    return `real servers of ${serviceName(service)} behind it: ${servers.join(", ")}`;
  });
}

function lookAt({ name }: Device): Fix[] {
  const word = shellWord(name);
  return [
    {
      command: `ip -d -s link show ${word}`,
      effect:
        "changes nothing; shows the carrier, the VLAN, and whether packets come in at all (RX)",
    },
    {
      command: `tcpdump -e -n -i ${word} arp or icmp6`,
      effect:
        "changes nothing; shows questions without answers, and frames of another VLAN",
    },
  ];
}

/**
 * Leaves out the fixes that take out a server if no other server of its service answers: that would leave the service
 * without any.
 *
 * @param deadIds the findings of dead servers
 */
export function keepLastServers<Id extends string>(
  findings: readonly Finding<Id>[],
  table: readonly ServiceWithServers[],
  deadIds: ReadonlySet<string>,
): Finding<Id>[] {
  const dead = findings.filter(({ id }) => deadIds.has(id));
  const subjects = new Set(dead.map(({ subject }) => subject));
  return findings.map((finding) => {
    const service = table.find(
      (one) =>
        finding.service &&
        serviceName(one) === serviceName({ key: finding.service }),
    );
    if (!service || !deadIds.has(finding.id)) return finding;
    // It repairs the cause, and takes no server out.
    if (finding.fix.some(({ command }) => !command.startsWith("ipvsadm ")))
      return finding;
    const hasOther = service.servers.some(
      (server) =>
        server.settings.weight > 0 &&
        !isServer(finding, server) &&
        !subjects.has(ofServer(service, server).subject),
    );
    return hasOther
      ? finding
      : {
          ...finding,
          cure: "Check the server, and whether its address in the table is right: if not, add the server with the right address and remove this one. Do not take it out: no other server of the service is there.",
          fix: [],
        };
  });
}

function isServer({ server }: Finding, { key }: ServerEntry): boolean {
  return server?.port === key.port && sameAddress(server.address, key.address);
}
