import { formatAddress } from "../../ipvs/address.js";
import {
  effectiveDaemon,
  sameNetmask,
  sameTunnel,
} from "../../plan/settings-match.js";
import {
  formatNarrowMask,
  HASHED,
  MASTER,
  ONE_PACKET,
  PERSISTENT,
  TUNNELING,
  type Daemon,
  type ServerSettings,
  type ServiceSettings,
  type Timeouts,
} from "../../ipvs/model.js";
import {
  ALL_SCHEDULER_FLAGS,
  schedulerBitNames,
  schedulerFlagNames,
} from "../../ipvs/scheduler-flags.js";
import { serviceSettings } from "../../view/listing.js";
import { forwardingText, limitsText } from "../server-settings.js";
import { escapeControls } from "../escape.js";

/* Settings as `list` shows them, and changes as `weight 1 → 2`. */

/** The name and the value of a setting. */
type NamedValue = readonly [name: string, value: string];

/** The values that differ. */
function changes(
  from: readonly NamedValue[],
  to: readonly NamedValue[],
): string[] {
  return from.flatMap(([name, before], i) => {
    const after = to[i]?.[1];
    return after === undefined || after === before
      ? []
      : [`${name} ${before} → ${after}`];
  });
}

/** `wrr persistent 300 ops`: the text of `list`, and the settings that `list` omits */
export function serviceText(settings: ServiceSettings): string {
  const { scheduler, flags, persistenceEngine = "" } = settings;
  const shown = schedulerFlagNames(scheduler, flags);
  const bits = schedulerBitNames(scheduler, flags);
  const other = otherFlags(flags);
  const rest = [
    ...bits.filter((name) => !shown.includes(name)),
    ...(persistenceEngine !== "" && !(flags & PERSISTENT)
      ? [`pe ${persistenceEngine}`]
      : []),
    ...(other === "none" ? [] : [`flags ${other}`]),
  ];
  return escapeControls([serviceSettings({ settings }), ...rest].join(" "));
}

/** The settings of a service that an edit changes. */
export function serviceChanges(
  from: ServiceSettings,
  to: ServiceSettings,
): string[] {
  return changes(serviceSettingsList(from), serviceSettingsList(to)).map(
    escapeControls,
  );
}

function serviceSettingsList(settings: ServiceSettings): NamedValue[] {
  const { scheduler, flags } = settings;
  return [
    ["scheduler", scheduler],
    ["scheduler flags", commaSeparated(schedulerBitNames(scheduler, flags))],
    ["persistence", persistenceText(settings)],
    ["persistence engine", settings.persistenceEngine ?? "none"],
    ["one-packet scheduling", flags & ONE_PACKET ? "on" : "off"],
    ["other flags", otherFlags(flags)],
  ];
}

function persistenceText({
  flags,
  timeoutSeconds,
  netmask,
}: ServiceSettings): string {
  if (!(flags & PERSISTENT)) return "none";
  const mask = formatNarrowMask(netmask);
  return `${timeoutSeconds}${mask === undefined ? "" : ` mask ${mask}`}`;
}

function otherFlags(flags: number): string {
  const other =
    flags & ~(PERSISTENT | HASHED | ONE_PACKET | ALL_SCHEDULER_FLAGS);
  return other === 0 ? "none" : `0x${(other >>> 0).toString(16)}`;
}

function commaSeparated(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(",");
}

/** `masq weight 1 limits 80-100` */
export function serverText(settings: ServerSettings): string {
  const limits = limitsText(settings);
  return `${forwardingText(settings)} weight ${settings.weight}${limits === "" ? "" : ` limits ${limits}`}`;
}

/** The settings of a real server that an edit changes. */
export function serverChanges(
  from: ServerSettings,
  to: ServerSettings,
): string[] {
  return changes(serverSettingsList(from), serverSettingsList(to));
}

function serverSettingsList(settings: ServerSettings): NamedValue[] {
  const limits = limitsText(settings);
  return [
    ["method", forwardingText(settings)],
    ["weight", String(settings.weight)],
    ["limits", limits === "" ? "none" : limits],
  ];
}

/** The settings of a service that differ, including those without effect. */
export function allServiceChanges(
  from: ServiceSettings,
  to: ServiceSettings,
): string[] {
  const shown = serviceChanges(from, to);
  if (to.flags & PERSISTENT) return shown;
  const ineffective: string[] = [];
  if (from.timeoutSeconds !== to.timeoutSeconds)
    ineffective.push(
      `persistence timeout ${to.timeoutSeconds} without persistence`,
    );
  if (!sameNetmask(from.netmask, to.netmask))
    ineffective.push("a netmask without persistence");
  return [...shown, ...ineffective];
}

/** The settings of a real server that differ, including those without effect. */
export function allServerChanges(
  from: ServerSettings,
  to: ServerSettings,
): string[] {
  const shown = serverChanges(from, to);
  const ineffective =
    to.forwarding !== TUNNELING && !sameTunnel(from.tunnel, to.tunnel);
  return ineffective ? [...shown, "a tunnel without tunneling"] : shown;
}

/** The timeouts that differ. */
export function timeoutChanges(from: Timeouts, to: Timeouts): string[] {
  const list = (timeouts: Timeouts): NamedValue[] => [
    ["tcp", `${timeouts.tcpSeconds}s`],
    ["tcpfin", `${timeouts.tcpFinSeconds}s`],
    ["udp", `${timeouts.udpSeconds}s`],
  ];
  return changes(list(from), list(to));
}

export function daemonName({ state }: Daemon): string {
  return `${state === MASTER ? "master" : "backup"} sync daemon`;
}

function daemonSettingsList(daemon: Daemon): NamedValue[] {
  const { multicastGroup, maximumLength, multicastPort, multicastTtl } = daemon;
  const given = (value: number | string | undefined) =>
    value === undefined ? "" : String(value);
  return [
    ["interface", escapeControls(daemon.multicastInterface)],
    ["syncid", String(daemon.syncId)],
    ["maxlen", given(maximumLength)],
    ["group", given(multicastGroup && formatAddress(multicastGroup))],
    ["port", given(multicastPort)],
    ["ttl", given(multicastTtl)],
  ];
}

/** `interface eth0 syncid 1` */
export function daemonText(daemon: Daemon): string {
  return daemonSettingsList(daemon)
    .flatMap(([name, value]) => (value === "" ? [] : [`${name} ${value}`]))
    .join(" ");
}

/** The settings of a sync daemon that a restart changes. Values that the kernel chooses are left out. */
export function daemonChanges(from: Daemon, to: Daemon): string[] {
  const before = daemonSettingsList(from);
  const after = daemonSettingsList(effectiveDaemon(to));
  const known = (_: NamedValue, i: number) =>
    before[i]?.[1] !== "" && after[i]?.[1] !== "";
  return changes(before.filter(known), after.filter(known));
}
