import type { ServiceWithServers } from "../../../ipvs/model.js";
import { changeCommand } from "../../commands.js";
import type { Fix } from "../../finding.js";
import { compareAddresses } from "../../firewall/compare-addresses.js";
import { PLAIN_RULE } from "../../firewall/plain-rule.js";
import type { Firewall } from "../../firewall/read-firewall.js";
import type { Condition } from "../../firewall/ruleset.js";
import { isLocal, type Network } from "../../network.js";
import { decodeUtf8 } from "../../../text/utf8.js";
import { shellWord } from "../../shell.js";
import {
  rulesThatMark,
  targetsOf,
  type FirewallMarkKey,
  type MarkSetter,
} from "./marking-rules.js";

/** A mark that rules set for requests to this machine, and that no service has. */
export interface OtherMark {
  readonly mark: number;
  readonly rules: readonly [MarkSetter, ...MarkSetter[]];
}

interface Facts {
  readonly firewall: Firewall;
  readonly network?: Network | undefined;
  readonly allServices?: readonly Pick<ServiceWithServers, "key">[] | undefined;
}

const WHOLE = 0xffffffff;

/** The marks that perhaps are meant for a service by firewall mark whose own mark no rule sets. */
export function otherMarks(
  { family, firewallMark: wanted }: FirewallMarkKey,
  { firewall, network, allServices = [] }: Facts,
): OtherMark[] {
  if (!network) return [];
  const found = new Map<number, [MarkSetter, ...MarkSetter[]]>();
  for (const rule of rulesThatMark(firewall, family)) {
    const { verdict, early, conditions } = rule;
    if (!early || verdict.does !== "mark" || verdict.mask !== WHOLE) continue;
    const mark = verdict.value;
    const isTaken = allServices.some(
      ({ key }) =>
        "firewallMark" in key &&
        key.family === family &&
        key.firewallMark === mark,
    );
    if (mark === 0 || isTaken || !isForHere(conditions, network)) continue;
    // Such a mark is for routing.
    if (isRouted(mark, network) && misreading(wanted, mark) === undefined)
      continue;
    const before = found.get(mark);
    if (before) before.push(rule);
    else found.set(mark, [rule]);
  }
  const all = Array.from(found, ([mark, rules]) => ({ mark, rules }));
  const misread = all.filter(
    ({ mark }) => misreading(wanted, mark) !== undefined,
  );
  return misread.length > 0 ? misread : all;
}

/** Whether a rule is for packets to addresses of this machine. */
function isForHere(
  conditions: readonly Condition[],
  network: Network,
): boolean {
  const targets = targetsOf(conditions);
  if (!targets)
    return conditions.some(({ about }) => about === "local-destination");
  return targets.some(
    ({ first, last }) =>
      isLocal(network, first) === true ||
      network.addresses.some(
        ({ address }) =>
          address.length === first.length &&
          compareAddresses(first, address) <= 0 &&
          compareAddresses(address, last) <= 0,
      ),
  );
}

function isRouted(mark: number, { rules = [] }: Network): boolean {
  return rules.some(
    (rule) =>
      rule.mark !== undefined &&
      !rule.inverted &&
      ((mark & rule.mark.mask) ^ rule.mark.value) === 0,
  );
}

/** Says that a mark is another one if its digits are read as hexadecimal; undefined if it is not. */
export function misreading(wanted: number, set: number): string | undefined {
  if (Number(`0x${wanted}`) === set)
    return `mark ${wanted} of the service is decimal, and the mark of the rule, 0x${wanted}, is hexadecimal`;
  if (Number(`0x${set}`) === wanted)
    return `mark ${wanted} of the service is 0x${set} in hexadecimal, and mark ${set} of the rule is decimal`;
  return undefined;
}

/** The rules set the mark of the service: one command for each of them. undefined if one cannot be printed for a shell. */
export function correctRules(
  { firewallMark: wanted }: FirewallMarkKey,
  { mark, rules }: OtherMark,
): Fix[] | undefined {
  const commands = rules.map(({ table, chain, rule, position = 1 }) => {
    const text = rule?.text ?? "";
    const set = /--set-x?mark 0x[0-9a-f]+(?:\/0x[0-9a-f]+)?/;
    if (!/^ip6?tables/.test(table.program)) return undefined;
    if (!PLAIN_RULE.test(text) || !set.test(text)) return undefined;
    return `${table.program} -t ${table.name} -R ${shellWord(decodeUtf8(chain.name))} ${position} ${text.replace(set, `--set-mark ${wanted}`)}`;
  });
  return commands.every((command) => command !== undefined)
    ? commands.map((command) => ({
        command,
        effect: `the rule sets mark ${wanted} instead of ${mark}: correct it in the firewall's configuration as well; or keep the rule, and give mark ${mark} to the service, by a new service with the same settings and servers ('ipvsadm -A -f ${mark} …')`,
      }))
    : undefined;
}

/** More servers are not written out. */
const MOST_SERVERS = 8;

/** The service gets the mark that the rules set: a new one in its place. undefined if that is long. */
export function renameService(
  { key, settings, servers }: ServiceWithServers,
  { mark }: OtherMark,
): Fix[] | undefined {
  if (servers.length > MOST_SERVERS) return undefined;
  const service = { family: key.family, firewallMark: mark };
  return [
    {
      command: changeCommand({ command: "add-service", service, settings }),
      effect: `a service for the mark that the rules set, with the settings and servers of the one that gets no packets; or keep that one, and correct the mark in the firewall`,
    },
    ...servers.map((server) => ({
      command: changeCommand({
        command: "add-server",
        service,
        server: server.key,
        settings: server.settings,
      }),
    })),
    { command: changeCommand({ command: "delete-service", service: key }) },
  ];
}
