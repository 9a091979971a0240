import { formatAddress } from "../../ipvs/address.js";
import {
  keptDaemon,
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

/* Settings in the words of `list`, and what changes of them as `weight 1 → 2`. */

/** What one setting is called, and what it is. */
type Word = readonly [name: string, value: string];

/** What changes, of those that are not the same. */
function changes(from: readonly Word[], to: readonly Word[]): string[] {
  return from.flatMap(([name, before], i) => {
    const after = to[i]?.[1];
    return after === undefined || after === before
      ? []
      : [`${name} ${before} → ${after}`];
  });
}

/** `wrr persistent 300 ops`, and what `list` leaves out of it */
export function serviceWords(settings: ServiceSettings): string {
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

/** What an edit changes of a service. */
export function serviceChanges(
  from: ServiceSettings,
  to: ServiceSettings,
): string[] {
  return changes(serviceWordList(from), serviceWordList(to)).map(
    escapeControls,
  );
}

function serviceWordList(settings: ServiceSettings): Word[] {
  const { scheduler, flags } = settings;
  return [
    ["scheduler", scheduler],
    ["scheduler flags", listed(schedulerBitNames(scheduler, flags))],
    ["persistence", persistenceWord(settings)],
    ["persistence engine", settings.persistenceEngine ?? "none"],
    ["one-packet scheduling", flags & ONE_PACKET ? "on" : "off"],
    ["other flags", otherFlags(flags)],
  ];
}

function persistenceWord({
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

function listed(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.join(",");
}

/** `masq weight 1 limits 80-100` */
export function serverWords(settings: ServerSettings): string {
  const limits = limitsText(settings);
  return `${forwardingText(settings)} weight ${settings.weight}${limits === "" ? "" : ` limits ${limits}`}`;
}

/** What an edit changes of a real server. */
export function serverChanges(
  from: ServerSettings,
  to: ServerSettings,
): string[] {
  return changes(serverWordList(from), serverWordList(to));
}

function serverWordList(settings: ServerSettings): Word[] {
  const limits = limitsText(settings);
  return [
    ["method", forwardingText(settings)],
    ["weight", String(settings.weight)],
    ["limits", limits === "" ? "none" : limits],
  ];
}

/** What of settings has no effect, and differs all the same. */
export function silentServiceChanges(
  from: ServiceSettings,
  to: ServiceSettings,
): string[] {
  const shown = serviceChanges(from, to);
  if (to.flags & PERSISTENT) return shown;
  const silent: string[] = [];
  if (from.timeoutSeconds !== to.timeoutSeconds)
    silent.push(`persistence timeout ${to.timeoutSeconds} without persistence`);
  if (!sameNetmask(from.netmask, to.netmask))
    silent.push("a netmask without persistence");
  return [...shown, ...silent];
}

/** The same of a real server. */
export function silentServerChanges(
  from: ServerSettings,
  to: ServerSettings,
): string[] {
  const shown = serverChanges(from, to);
  const silent =
    to.forwarding !== TUNNELING && !sameTunnel(from.tunnel, to.tunnel);
  return silent ? [...shown, "a tunnel without tunneling"] : shown;
}

/** What a change of timeouts changes; in `to`, 0 is what stays. */
export function timeoutChanges(from: Timeouts, to: Timeouts): string[] {
  const words = (timeouts: Timeouts): Word[] => [
    ["tcp", `${timeouts.tcpSeconds || from.tcpSeconds}s`],
    ["tcpfin", `${timeouts.tcpFinSeconds || from.tcpFinSeconds}s`],
    ["udp", `${timeouts.udpSeconds || from.udpSeconds}s`],
  ];
  return changes(words(from), words(to));
}

export function daemonName({ state }: Daemon): string {
  return `${state === MASTER ? "master" : "backup"} sync daemon`;
}

function daemonWordList(daemon: Daemon): Word[] {
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
export function daemonWords(daemon: Daemon): string {
  return daemonWordList(daemon)
    .flatMap(([name, value]) => (value === "" ? [] : [`${name} ${value}`]))
    .join(" ");
}

/** What changes of a sync daemon that starts anew; what the kernel will choose, nobody knows yet. */
export function daemonChanges(from: Daemon, to: Daemon): string[] {
  const before = daemonWordList(from);
  const after = daemonWordList(keptDaemon(to));
  const known = (_: Word, i: number) =>
    before[i]?.[1] !== "" && after[i]?.[1] !== "";
  return changes(before.filter(known), after.filter(known));
}
