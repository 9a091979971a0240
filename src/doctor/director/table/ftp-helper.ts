import {
  MASQUERADING,
  PERSISTENT,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { ofService } from "../../commands.js";
import type { Facts as AllFacts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import { iptablesProgram } from "../../firewall/iptables-program.js";
import type { Condition, Step, Verdict } from "../../firewall/ruleset.js";
import type { FtpHelper } from "../../read-ftp-helper.js";
import { isPassive, isServing } from "../reach/reach.js";
import {
  FTP_PORT,
  ftpEvidence,
  hasDataServices,
  isFtp,
  type FtpService,
} from "./ftp.js";

type Facts = AllFacts & Known<"table" | "allServices" | "ftpHelper">;

/** Masqueraded FTP servers whose commands the director does not read. */
export const ftpHelper = check(
  ["ftp-helper-missing"],
  ["table", "allServices", "daemons", "ftpHelper"],
  (facts) =>
    isPassive(facts.daemons)
      ? []
      : ftpWithoutHelper(facts).map((service) => findingOf(service, facts)),
);

/** The masqueraded services for FTP that ip_vs_ftp does not handle, and whose data connections have no other way. */
export function ftpWithoutHelper(
  facts: Pick<Facts, "table" | "allServices" | "ftpHelper" | "firewall">,
): FtpService[] {
  const { ports } = facts.ftpHelper;
  return facts.table
    .filter(isFtp)
    .filter(
      (service) =>
        isMasqueraded(service) &&
        !ports.includes(service.key.port) &&
        !keepsClients(service) &&
        !hasDataServices(service, facts),
    );
}

function isMasqueraded({ servers }: ServiceWithServers): boolean {
  return servers.some(
    (server) =>
      server.settings.forwarding === MASQUERADING && isServing(server),
  );
}

/** Whether data connections to the virtual address get to the server of their client: the servers must then name that address. */
function keepsClients({ key, settings }: FtpService): boolean {
  return key.port === FTP_PORT && (settings.flags & PERSISTENT) !== 0;
}

/** Why ip_vs_ftp does not handle a service. */
export function lackOf({ key }: FtpService, helper: FtpHelper): string {
  return helper.module === "absent"
    ? "the module ip_vs_ftp is not loaded"
    : `ip_vs_ftp handles ${helper.ports.length === 0 ? "no port" : `port ${helper.ports.join(", ")}`} and not port ${key.port}`;
}

function findingOf(
  service: FtpService,
  facts: Facts,
): Finding<"ftp-helper-missing"> {
  const { ftpHelper: helper, allServices, connections, available } = facts;
  const ports = [
    ...new Set([
      FTP_PORT,
      ...helper.ports,
      ...allServices
        .filter(isFtp)
        .filter(isMasqueraded)
        .map(({ key }) => key.port),
    ]),
  ].sort((a, b) => a - b);
  const isInstalled = available?.get("ip_vs_ftp") !== "absent";
  return {
    id: "ftp-helper-missing",
    ...ofService(service),
    seen: `${lackOf(service, helper)}, and its servers are masqueraded: if it is for FTP, clients can log in and get no file`,
    certainty: "likely",
    evidence: ftpEvidence(service, connections, allServices),
    ...(helper.module === "built in"
      ? {
          cure: `ip_vs_ftp is built into the kernel: add ip_vs_ftp.ports=${ports.join(",")} to the kernel's command line, and boot again.`,
        }
      : isInstalled
        ? {}
        : {
            cure: "The modules of this kernel do not include ip_vs_ftp: install the package with the other modules (such as linux-modules-extra), then load it.",
          }),
    fix:
      helper.module === "built in" || !isInstalled
        ? []
        : [
            ...loadHelper(helper, ports),
            ...(isTracked(service, facts)
              ? []
              : trackConnections(service, facts)),
          ],
  };
}

/**
 * Whether connection tracking handles the connections of a service with ip_vs_ftp. It is on in a network namespace if a firewall
 * rule needs it, and for a masqueraded server in a service at port 21.
 *
 * @see __ip_vs_update_dest() in net/netfilter/ipvs/ip_vs_ctl.c
 */
function isTracked(
  { key }: FtpService,
  { allServices, firewall }: Facts,
): boolean {
  const { family } = key;
  return (
    allServices.some(
      (one) =>
        isFtp(one) &&
        one.key.family === family &&
        one.key.port === FTP_PORT &&
        isMasqueraded(one),
    ) ||
    (firewall?.tables ?? [])
      .filter(({ families }) => families.includes(family))
      .flatMap(({ chains }) => [...chains.values()])
      .some(({ rules }) => rules.some(({ steps }) => steps.some(needsTracking)))
  );
}

const TRACKING: ReadonlySet<string> = new Set([
  "translate",
  "redirect",
  "mark-from-elsewhere",
] satisfies Verdict["does"][]);

function needsTracking(step: Step): boolean {
  if ("if" in step) return isAboutState(step.if);
  if ("then" in step) return TRACKING.has(step.then.does);
  return step.cases.some(
    (one) => isAboutState(one.if) || TRACKING.has(one.then.does),
  );
}

function isAboutState(condition: Condition): boolean {
  if (condition.about === "not") return isAboutState(condition.condition);
  if (condition.about === "all" || condition.about === "any")
    return condition.conditions.some(isAboutState);
  return condition.about === "state";
}

/** Turns connection tracking on, without a change for any packet. */
function trackConnections({ key }: FtpService, { firewall }: Facts): Fix[] {
  const program = iptablesProgram(
    firewall ?? { tables: [], unread: [] },
    key.family,
  );
  return [
    {
      command: `${program} -t mangle -A FORWARD -p tcp --sport ${key.port} -m conntrack --ctstate NEW`,
      effect: `a rule without a target does nothing to packets; it turns on connection tracking, without which ip_vs_ftp leaves the server's own address in answers to PASV (at port ${FTP_PORT} the kernel does that by itself); add it to the firewall's configuration to keep it`,
    },
  ];
}

/** Loads the module, now and at every boot. */
function loadHelper({ module }: FtpHelper, ports: readonly number[]): Fix[] {
  const list = `ports=${ports.join(",")}`;
  const isUsual = ports.length === 1;
  return [
    ...(module === "loaded"
      ? [
          {
            command: "rmmod ip_vs_ftp",
            effect:
              "until the next command no FTP works; it fails while clients are logged in at a port that the module handles",
          },
        ]
      : []),
    ...(isUsual
      ? []
      : [
          {
            command: `echo options ip_vs_ftp ${list} >/etc/modprobe.d/ip_vs_ftp.conf`,
          },
        ]),
    {
      command: isUsual ? "modprobe ip_vs_ftp" : `modprobe ip_vs_ftp ${list}`,
      effect:
        "only new connections are handled: clients that are logged in have to do so again",
    },
    {
      command: "echo ip_vs_ftp >/etc/modules-load.d/ip_vs_ftp.conf",
      effect: "the module is loaded at every boot",
    },
  ];
}
