import { formatAddress } from "../../../ipvs/address.js";
import {
  PERSISTENT,
  TRANSPORTS,
  type Protocol,
  type ServiceKey,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import type { Rule } from "../../../rtnl/model.js";
import { changeCommand, serviceName } from "../../commands.js";
import type { Passage } from "../../finding.js";
import { iptablesProgram } from "../../firewall/iptables-program.js";
import { judgeAll } from "../../firewall/judge.js";
import type { Firewall } from "../../firewall/read-firewall.js";
import type { AddressService } from "../../persistence-groups.js";
import { markingCommands } from "./marking-commands.js";
import {
  makesMark,
  markingRules,
  rulesThatMark,
  type FirewallMarkKey,
} from "./marking-rules.js";

/** A service by firewall mark that is to replace services with addresses. */
interface Joining {
  readonly key: FirewallMarkKey;
  /** Those whose packets no rule gives the mark, as far as the rules could be read */
  readonly unmarked: readonly AddressService[];
  /** Whether a rule that could not be read, or that sets an unknown mark, may do so */
  readonly uncertain: boolean;
}

/**
 * How to make services one, in sentences and commands. Nobody wants such a change by accident, so it is no fix.
 *
 * @param rules the routing rules, whose marks are not used; undefined: not known
 * @returns undefined if they are one: a service by firewall mark gets the packets of all of them
 */
export function joinByMark(
  services: readonly AddressService[],
  all: readonly ServiceWithServers[],
  firewall: Firewall,
  rules?: readonly Rule[],
): readonly Passage[] | undefined {
  const joining = joiningService(services, all, firewall);
  if (joining?.unmarked.length === 0) return undefined;
  const [first] = services;
  if (!first) return undefined;
  const mapped = services.some(({ key, servers }) =>
    servers.some((server) => server.key.port !== key.port),
  );
  const remove = services.map(({ key }) =>
    changeCommand({ command: "delete-service", service: key }),
  );
  const protocols = new Set(services.map(({ key }) => key.protocol));
  const port = mapped
    ? "It does not change the port, so the real servers must listen at the ports that clients use. "
    : "";
  return [
    ...(joining
      ? onlyMarked(joining, firewall)
      : oneService(first, services, all, firewall, rules)),
    `${port}New connections use this service, and persistence begins anew. Look whether the old services still have connections (ActiveConn, InActConn):`,
    { commands: ["ipvsadm -Ln"] },
    "When they have none, delete them:",
    { commands: remove },
    ...(protocols.size === 1 && !joining
      ? [
          `If all ${TRANSPORTS[first.key.protocol].toUpperCase()} ports of ${formatAddress(first.key.address)} go to these servers, one service with port 0 and persistence needs no mark.`,
        ]
      : []),
  ];
}

/** The persistent service by firewall mark with the same real servers that gets the packets of the services, or lacks nothing but that. */
function joiningService(
  services: readonly AddressService[],
  all: readonly ServiceWithServers[],
  firewall: Firewall,
): Joining | undefined {
  const [first] = services;
  if (!first) return undefined;
  const found: Joining[] = [];
  for (const one of all) {
    const { key, settings } = one;
    if (!("firewallMark" in key) || key.family !== first.key.family) continue;
    if ((settings.flags & PERSISTENT) === 0 || !haveSameServers(one, first))
      continue;
    const rules = markingRules(firewall, key).filter(({ early }) => early);
    const known = rules.filter(({ isKnown }) => isKnown);
    const unmarked = services.filter(
      ({ key: { family, protocol, address, port } }) =>
        known.every(
          ({ conditions }) =>
            judgeAll(conditions, {
              ...{ family, protocol },
              ...{ destination: address, destinationPort: port },
            }) === "no",
        ),
    );
    // A service whose mark has other packets only is for something else.
    if (known.length > 0 && unmarked.length === services.length) continue;
    const uncertain = firewall.unread.length > 0 || known.length < rules.length;
    found.push({ key, unmarked, uncertain });
  }
  return found.find(({ unmarked }) => unmarked.length === 0) ?? found[0];
}

function haveSameServers(
  one: ServiceWithServers,
  other: ServiceWithServers,
): boolean {
  const servers = serversOf(one);
  const others = serversOf(other);
  return (
    servers.size === others.size &&
    [...servers].every((server) => others.has(server))
  );
}

/** Addresses and forwarding methods. */
function serversOf({ servers }: ServiceWithServers): ReadonlySet<string> {
  return new Set(
    servers.map(
      ({ key, settings }) =>
        `${formatAddress(key.address)} ${settings.forwarding}`,
    ),
  );
}

/** What to do where the service is there. */
function onlyMarked(
  { key, unmarked, uncertain }: Joining,
  firewall: Firewall,
): Passage[] {
  const mark = key.firewallMark;
  const commands = markings(unmarked, mark, firewall);
  const [rule, is] = commands.length === 1 ? ["rule", "is"] : ["rules", "are"];
  const places = unmarked.map(serviceName).join(", ");
  const missing = `only the marking ${rule} ${is} missing:`;
  return [
    uncertain
      ? `${serviceName({ key })} has the same real servers and persistence. Not all rules are known: if none gives mark ${mark} to the packets of ${places}, ${missing}`
      : `${serviceName({ key })} has the same real servers and persistence, but no rule gives mark ${mark} to the packets of ${places}: ${missing}`,
    { commands },
  ];
}

/** More servers are not written out. */
const MOST_SERVERS = 8;

/** The commands for a new service. The marking rules come last: without them the service changes nothing, and it has its servers before it gets packets. */
function oneService(
  first: AddressService,
  services: readonly AddressService[],
  all: readonly ServiceWithServers[],
  firewall: Firewall,
  rules: readonly Rule[] | undefined,
): Passage[] {
  const { family } = first.key;
  const firewallMark = unusedMark(family, all, firewall, rules);
  const service: ServiceKey = { family, firewallMark };
  const settings = {
    ...first.settings,
    timeoutSeconds: Math.max(
      ...services.map((one) => one.settings.timeoutSeconds),
    ),
  };
  const add = [
    changeCommand({ command: "add-service", service, settings }),
    ...first.servers.slice(0, MOST_SERVERS).map((server) =>
      changeCommand({
        command: "add-server",
        service,
        server: { ...server.key, port: 0 },
        settings: server.settings,
      }),
    ),
  ];
  return [
    rules
      ? "Make them one service by firewall mark:"
      : "Make them one service by firewall mark. Take another mark if a routing rule here uses this one:",
    {
      commands: [...add, ...markings(services, firewallMark, firewall)],
    },
    ...(first.servers.length > MOST_SERVERS
      ? ["Add the other real servers likewise, ahead of the marking."]
      : []),
  ];
}

/** Beyond this, bits that rules set do not count: they may be in all marks. */
const LAST_MARK = 1000;

/** The first mark that no service has, no firewall rule helps to make, and no routing rule selects. */
function unusedMark(
  family: ServiceKey["family"],
  all: readonly ServiceWithServers[],
  firewall: Firewall,
  rules: readonly Rule[] = [],
): number {
  const marks = new Set(
    all.flatMap(({ key }) => ("firewallMark" in key ? [key.firewallMark] : [])),
  );
  const setters = rulesThatMark(firewall, family);
  const isSet = (mark: number) =>
    mark < LAST_MARK && setters.some(({ verdict }) => makesMark(verdict, mark));
  const isSelected = (chosen: number) =>
    chosen < LAST_MARK &&
    rules.some(
      ({ mark, inverted }) =>
        mark !== undefined &&
        !inverted &&
        ((chosen & mark.mask) ^ mark.value) === 0,
    );
  let mark = 1;
  while (marks.has(mark) || isSet(mark) || isSelected(mark)) mark++;
  return mark;
}

/** The rules that mark the packets of all the services. */
function markings(
  services: readonly AddressService[],
  firewallMark: number,
  firewall: Firewall,
): string[] {
  const byProtocol = new Map<Protocol, number[]>();
  for (const { key } of services)
    byProtocol.set(key.protocol, [
      ...(byProtocol.get(key.protocol) ?? []),
      key.port,
    ]);
  const [first] = services;
  if (!first) return [];
  const program = iptablesProgram(firewall, first.key.family);
  return markingCommands(program, first.key.address, byProtocol, firewallMark);
}
