import { PROTOCOL_NAMES } from "../../ipvs/model.js";
import type { Device } from "../../rtnl/model.js";
import { formatHardwareAddress } from "../../rtnl/model.js";
import type { Leg } from "./legs.js";
import type { PacketSightings } from "./sightings.js";

/** What packets tell of one flow, or of several with the same fate: a line. */
export interface PacketFact {
  readonly state: "ok" | "stops" | "unknown";
  readonly text: string;
}

/** What becomes of a connection, as far as its packets show it. */
export interface Verdict {
  readonly state: PacketFact["state"];
  /** The same for all connections with the same fate; empty if there is nothing to say */
  readonly text: string;
  /** It concerns some packets of each connection only, so connections that pass do not disprove it */
  readonly isPartial?: boolean;
  /** The cause is on the real server, or on the way to it */
  readonly isBeyond?: boolean;
}

export const FINE: Verdict = { state: "ok", text: "" };

/** A connection that began later than this before the end may still be answered. */
export const PATIENCE_MILLISECONDS = 1000;
/** A client that sends its SYN again after this has not got an answer. */
export const AGAIN_MILLISECONDS = 500;
/** After this, no answer is a fact worth telling. */
export const SILENCE_MILLISECONDS = 3000;

const MOST_SHOWN = 3;

/** `eth0`; `3 interfaces` if there are more than a few */
export function deviceNames(
  indexes: readonly number[],
  devices: readonly Device[],
): string {
  const names = indexes
    .filter((index) => index > 0)
    .map(
      (index) =>
        devices.find((one) => one.index === index)?.name ??
        `interface ${index}`,
    );
  if (names.length > MOST_SHOWN) return `${names.length} interfaces`;
  return names.join(" and ");
}

/** `by eth0`; nothing if the capture does not say it */
export function byDevices(
  { devices: indexes }: Leg,
  devices: readonly Device[],
): string {
  const names = deviceNames(indexes, devices);
  return names === "" ? "" : ` by ${names}`;
}

/** ` (from 02:00:5e:10:00:01)`: the machine that sent packets here */
export function fromSenders(leg: Leg): string {
  const senders = new Set(
    leg.flows.flatMap((one) => one.senders.map(formatHardwareAddress)),
  );
  if (senders.size === 0) return "";
  if (senders.size > MOST_SHOWN)
    return ` (from ${senders.size} hardware addresses)`;
  return ` (from ${[...senders].join(" and ")})`;
}

/** `1 packet`, `12 packets` */
export function counted(count: number, one: string): string {
  return `${count} ${count === 1 ? one : `${one}s`}`;
}

export function protocolName(protocol: number): string {
  const names: Readonly<Partial<Record<number, string>>> = PROTOCOL_NAMES;
  return names[protocol] ?? `protocol ${protocol}`;
}

/** The lines of verdicts: each text once, with the number of connections if it does not concern all. */
export function summarized(
  verdicts: readonly Verdict[],
  many: string,
): { state: PacketFact["state"]; text: string; isBeyond: boolean } {
  const told = new Map<string, Verdict[]>();
  for (const one of verdicts)
    if (one.text !== "")
      told.set(one.text, [...(told.get(one.text) ?? []), one]);
  const texts = Array.from(told, ([text, some]) =>
    some.length === verdicts.length
      ? text
      : `${some.length} of ${verdicts.length} ${many}: ${text}`,
  );
  const stopping = verdicts.filter(({ state }) => state === "stops");
  const isStopped =
    stopping.some(({ isPartial }) => isPartial === true) ||
    (stopping.length > 0 && stopping.length === verdicts.length);
  return {
    state: isStopped
      ? "stops"
      : verdicts.length > 0 && verdicts.every(({ state }) => state === "ok")
        ? "ok"
        : "unknown",
    text: texts.slice(0, MOST_SHOWN).join("; "),
    isBeyond: verdicts.some(({ isBeyond }) => isBeyond === true),
  };
}

/** What limits the capture itself. */
export function captureLimits({
  unkept,
  lost,
  isFull,
  began,
  ended,
  packets,
}: PacketSightings): string[] {
  const seconds = Math.max(0, (ended - began) / 1000).toFixed(1);
  return [
    ...(isFull
      ? [
          `packets after the first ${seconds} s (the capture ends after ${packets} packets)`,
        ]
      : []),
    ...(unkept > 0
      ? [`${counted(unkept, "packet")} of more flows than doctor follows`]
      : []),
    ...(lost > 0
      ? [
          `${counted(lost, "packet")} that tcpdump did not get in time, so missing ones are not judged`,
        ]
      : []),
  ];
}

/** Whether packets that were not seen were not there. */
export function isComplete({ lost, unkept }: PacketSightings): boolean {
  return lost === 0 && unkept === 0;
}
