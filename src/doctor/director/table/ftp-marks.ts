import {
  MASQUERADING,
  PROTOCOL_NAMES,
  TCP,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { ofService } from "../../commands.js";
import { isWithServer } from "../../connections.js";
import type { Facts as AllFacts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import { judgeAll } from "../../firewall/judge.js";
import type { NumberRange } from "../../firewall/ruleset.js";
import {
  destinationPorts,
  markingRules,
  type FirewallMarkKey,
  type MarkingRule,
} from "../marks/marking-rules.js";
import { followClient } from "../marks/marks.js";
import { isPassive, isServing } from "../reach/reach.js";
import { FIRST_DATA_PORT, FTP_PORT } from "./ftp.js";

type Facts = AllFacts & Known<"table" | "firewall" | "ftpHelper">;

/** The port from which servers make active data connections */
const ACTIVE_PORT = 20;

/** Fewer packets are those of one client that perhaps fetched nothing. */
const MANY_PACKETS = 25n;

/** FTP by firewall mark whose rules for data ports match nothing. */
export const ftpMarks = check(
  ["ftp-ports-unmatched"],
  ["table", "firewall", "daemons", "ftpHelper"],
  (facts) =>
    isPassive(facts.daemons)
      ? []
      : facts.table.flatMap((service): Finding<"ftp-ports-unmatched">[] => {
          const { key } = service;
          if (!("firewallMark" in key)) return [];
          const rules = ftpRules(service, key, facts);
          return rules ? [findingOf(key, rules)] : [];
        }),
);

interface FtpRules {
  readonly control: MarkingRule;
  readonly data: readonly RuleWithPorts[];
}

interface RuleWithPorts {
  readonly rule: MarkingRule;
  readonly ports: readonly NumberRange[];
}

/** The rule for logins that matches packets, and those for data connections that match none; undefined if it is not so. */
function ftpRules(
  service: ServiceWithServers,
  key: FirewallMarkKey,
  facts: Facts,
): FtpRules | undefined {
  const { firewall } = facts;
  if (firewall.unread.length > 0 || isHelped(service, facts)) return undefined;
  const rules = markingRules(firewall, key)
    .filter(
      ({ early, conditions }) =>
        early &&
        judgeAll(conditions, { family: key.family, protocol: TCP }) !== "no",
    )
    .map((rule) => ({
      rule,
      ports: rule.conditions.flatMap(destinationPorts),
    }));
  // A rule for other packets as well does not tell them apart.
  if (rules.some(({ ports }) => ports.length === 0)) return undefined;
  const includes = ({ ports }: RuleWithPorts, port: number) =>
    ports.some(([first, last]) => first <= port && port <= last);
  if (rules.some((one) => includes(one, ACTIVE_PORT))) return undefined;
  const control = rules.find((one) => includes(one, FTP_PORT));
  const data = rules.filter((one) => one !== control);
  const { packets: logins } = control?.rule ?? {};
  if (!control || control.ports.some(([, last]) => last > FTP_PORT))
    return undefined;
  const isForData =
    data.length > 0 &&
    data.every(({ ports }) =>
      ports.every(([first]) => first >= FIRST_DATA_PORT),
    );
  return isForData &&
    logins !== undefined &&
    logins >= MANY_PACKETS &&
    data.every(({ rule }) => rule.packets === 0n) &&
    !hasOtherConnections(service, facts)
    ? { control: control.rule, data }
    : undefined;
}

/** Whether ip_vs_ftp makes the entries of data connections, at any port. */
function isHelped(
  { servers }: ServiceWithServers,
  { ftpHelper }: Facts,
): boolean {
  return (
    ftpHelper.ports.includes(FTP_PORT) &&
    servers.some(
      (one) => isServing(one) && one.settings.forwarding === MASQUERADING,
    )
  );
}

/** Whether the connection table has connections of the servers at other ports, such as active data connections. */
function hasOtherConnections(
  { servers }: ServiceWithServers,
  { connections }: Facts,
): boolean {
  return Array.from(connections?.byServer.values() ?? [])
    .flat()
    .some(
      (group) =>
        group.protocol === PROTOCOL_NAMES[TCP] &&
        (group.virtualPort === ACTIVE_PORT ||
          group.virtualPort >= FIRST_DATA_PORT) &&
        servers.some((one) => isWithServer(group, one)),
    );
}

function findingOf(
  key: FirewallMarkKey,
  { control, data }: FtpRules,
): Finding<"ftp-ports-unmatched"> {
  const ports = data.flatMap((one) => one.ports).map(rangeText);
  return {
    id: "ftp-ports-unmatched",
    ...ofService({ key }),
    seen: `the rule for port ${FTP_PORT} has matched ${control.packets ?? 0n} packets, and none went to ${ports.join(", ")}: clients perhaps log in and get no file, because the FTP servers use other ports for data`,
    certainty: "likely",
    evidence: [control, ...data.map(({ rule }) => rule)].map(
      (rule) => `${describePlace(rule)}, sets mark ${key.firewallMark}`,
    ),
    next: [
      followClient(),
      {
        command: "sysctl net.ipv4.ip_local_port_range",
        on: "the FTP servers",
        effect:
          "changes nothing; an FTP server without a range of passive ports of its own takes them from this one",
      },
    ],
    fix: [],
  };
}

function rangeText([first, last]: NumberRange): string {
  return first === last ? `port ${first}` : `ports ${first}:${last}`;
}
