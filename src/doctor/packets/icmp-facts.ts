import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import { formatEndpoint } from "../../ipvs/model.js";
import type { Device } from "../../rtnl/model.js";
import { counted, deviceNames, type PacketFact } from "./packet-fact.js";
import type { PacketSightings, SeenError } from "./sightings.js";

/** What errors concern */
export interface ErrorScope {
  readonly client: Address;
  /** The other ends of tunnels, whose packets are perhaps quoted too short to show the client */
  readonly tunnelEnds: readonly Address[];
  readonly devices: readonly Device[];
  readonly isOwn: (address: Address) => boolean;
}

const MOST_SHOWN = 5;

/** ICMP errors about the client's packets: who sent which. */
export function errorFacts(
  { errors }: PacketSightings,
  scope: ErrorScope,
): PacketFact[] {
  const concerned = errors.filter((one) => concerns(one, scope));
  const cameIn = concerned.filter(({ direction }) => direction === "in");
  // IPVS sends errors on to the client: these are no others.
  const own = concerned.filter(
    (one) =>
      one.direction === "out" &&
      !cameIn.some(({ name }) => name === one.name) &&
      scope.isOwn(one.source),
  );
  const groups = new Map<string, SeenError[]>();
  for (const one of [...cameIn, ...own]) {
    const key = [
      one.name,
      one.direction,
      formatAddress(one.source),
      aboutText(one, scope),
    ].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()]
    .slice(0, MOST_SHOWN)
    .map((some) => errorFact(some, scope));
}

function concerns(
  { about }: SeenError,
  { client, tunnelEnds }: ErrorScope,
): boolean {
  if (!about) return false;
  const { source, target, outer } = about;
  if (sameAddress(source, client) || sameAddress(target, client)) return true;
  // The inner packet is not quoted far enough to know whose it is.
  const isUnknown = outer !== undefined && sameAddress(outer.target, target);
  return isUnknown && tunnelEnds.some((one) => sameAddress(one, outer.target));
}

/** `its requests to 10.0.0.11:80`, `answers from 192.0.2.1:80` */
function aboutText({ about }: SeenError, { client }: ErrorScope): string {
  if (!about) return "packets";
  if (about.outer)
    return `packets in the tunnel to ${formatAddress(about.outer.target)}`;
  return sameAddress(about.source, client)
    ? `requests to ${formatEndpoint(about.target, about.targetPort)}`
    : `answers from ${formatEndpoint(about.source, about.sourcePort)}`;
}

function errorFact(some: readonly SeenError[], scope: ErrorScope): PacketFact {
  const [first] = some;
  if (!first) return { state: "unknown", text: "" };
  const { name, direction, source } = first;
  const count = some.reduce((sum, one) => sum + one.count, 0);
  const sizes = some.flatMap(({ mtu }) => (mtu === undefined ? [] : [mtu]));
  const says =
    name === "too big"
      ? `packets are too big${sizes.length > 0 ? ` (MTU ${Math.min(...sizes)})` : ""}`
      : name;
  const who =
    direction === "out"
      ? `this machine (${formatAddress(source)})`
      : formatAddress(source);
  const where = deviceNames(
    some.map(({ device }) => device),
    scope.devices,
  );
  return {
    // A sender that is told the MTU sends smaller packets.
    state: name === "too big" ? "ok" : "unknown",
    text: `${who} sent ${counted(count, "ICMP error")} about ${aboutText(first, scope)}${where === "" || direction === "out" ? "" : `, by ${where}`}: ${says}`,
  };
}
