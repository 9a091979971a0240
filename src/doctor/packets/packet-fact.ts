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
  /** States of connections may tell more */
  readonly isWeak?: boolean;
  /** Of faults that may be seen with or without proof: what it is */
  readonly fault?: "large answers" | "large requests";
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

/** What is said of several connections. */
export interface Summary extends PacketFact {
  readonly isBeyond: boolean;
  /** It tells what happens to the connections, so nothing has to be concluded from their states */
  readonly isTelling: boolean;
}

/** A verdict, and whether the connection began while packets were captured. */
export interface Judged extends Verdict {
  readonly isNew: boolean;
}

/**
 * The lines of verdicts: each text once, with the number of connections if it does not concern all. Older connections that
 * pass, which perhaps began before a fault, do not disprove what happens to new ones.
 */
export function summarized(all: readonly Judged[], many: string): Summary {
  const telling = all.filter(({ isNew, text }) => isNew || text !== "");
  const judged = telling.some(({ isNew }) => isNew) ? telling : all;
  const isApart = judged.length < all.length;
  const strong = judged.filter(({ isWeak }) => isWeak !== true);
  const verdicts = (strong.length > 0 ? strong : judged).map((one) =>
    provenAs(one, judged),
  );
  const told = new Map<string, Verdict[]>();
  for (const one of verdicts)
    if (one.text !== "")
      told.set(one.text, [...(told.get(one.text) ?? []), one]);
  const isFine =
    verdicts.length > 0 && verdicts.every(({ state }) => state === "ok");
  const texts = Array.from(told, ([text, some]) => {
    if (isFine) return text;
    if (some.length < verdicts.length)
      return `${some.length} of ${verdicts.length} ${many}: ${text}`;
    return `${isApart ? "new connections: " : ""}${text}`;
  });
  const stopping = verdicts.filter(({ state }) => state === "stops");
  const isStopped =
    stopping.some(({ isPartial }) => isPartial === true) ||
    (stopping.length > 0 && verdicts.every(({ state }) => state !== "ok"));
  return {
    state: isStopped ? "stops" : isFine ? "ok" : "unknown",
    text: texts.slice(0, MOST_SHOWN).join("; "),
    isBeyond: verdicts.some(({ isBeyond }) => isBeyond === true),
    isTelling: verdicts.some(
      (one) =>
        one.isWeak !== true && (one.state !== "unknown" || one.text !== ""),
    ),
  };
}

/** The same fault, as another connection proves it. */
function provenAs(one: Judged, all: readonly Judged[]): Judged {
  const proof = all.find(
    ({ fault, state }) =>
      fault !== undefined && fault === one.fault && state === "stops",
  );
  return proof ?? one;
}

/** What is said of those that are left out. */
export function leftOut(
  all: number,
  shown: number,
  what: string,
): PacketFact[] {
  return all > shown
    ? [{ state: "unknown", text: `${all - shown} more ${what} are not shown` }]
    : [];
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
