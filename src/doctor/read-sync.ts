import { formatAddress, INET, parseAddress } from "../ipvs/address.js";
import { BACKUP, type Daemon } from "../ipvs/model.js";
import { isWithin } from "../rtnl/address-owners.js";
import type { Device } from "../rtnl/model.js";
import { callAfter } from "../system/event-loop.js";
import {
  receiveMulticast,
  type MulticastPlace,
} from "../system/multicast-listener.js";
import type { Network } from "./network.js";
import {
  acceptsMessages,
  placeOfDaemon,
  USUAL_PLACE,
  type HeardSync,
  type SyncMessages,
  type SyncPlace,
} from "./sync-messages.js";

/** IFF_MULTICAST of linux/if.h */
const MULTICAST = 0x1000;
/** Doctor does not listen on more interfaces. */
const MOST_DEVICES = 16;
/** A longer timer ends at once. */
const LONGEST_MILLISECONDS = 2 ** 31 - 1;
/** The messages of more senders are left out. */
const MOST_SENDERS = 100;

/**
 * Listens to the sync messages for the backup daemons of this machine: also on its other interfaces, and at the usual group
 * and port. Listening ends early if a message arrives that the daemon accepts.
 */
export function listenToMasters(
  daemons: readonly Daemon[],
  network: Network,
  seconds: number,
): Promise<HeardSync[]> {
  return Promise.all(
    daemons
      .filter(({ state }) => state === BACKUP)
      .map((daemon) => listenFor(daemon, network, seconds)),
  );
}

async function listenFor(
  daemon: Daemon,
  network: Network,
  seconds: number,
): Promise<HeardSync> {
  const own = placeOfDaemon(daemon);
  const here = new Map<string, SyncMessages>();
  const elsewhere = new Map<string, SyncMessages>();
  const ending = new AbortController();
  const stop = callAfter(Math.min(seconds * 1000, LONGEST_MILLISECONDS), () => {
    ending.abort();
  });
  try {
    await Promise.all(
      placesFor(daemon, network).map(({ place, joins }) =>
        receiveMulticast(joins, ending.signal, ({ from, data }) => {
          const device = deviceOfSender(from, daemon, network);
          const isHere =
            isSamePlace(place, own) &&
            (device ?? daemon.multicastInterface) === daemon.multicastInterface;
          const message = messageOf(data, { ...place, from, device });
          if (!message) return;
          add(isHere ? here : elsewhere, message);
          if (isHere && acceptsMessages(daemon, message)) ending.abort();
        }),
      ),
    );
  } finally {
    stop();
  }
  return {
    daemon,
    seconds,
    here: [...here.values()],
    elsewhere: [...elsewhere.values()],
  };
}

/** A group and a port, and how to join it. A socket for a group of IPv6 joins it on one interface. */
function placesFor(
  daemon: Daemon,
  { devices, addresses }: Network,
): { place: SyncPlace; joins: MulticastPlace }[] {
  const own = placeOfDaemon(daemon);
  const isOwn = ({ name }: Device) => name === daemon.multicastInterface;
  const able = devices
    .filter(
      ({ up, loopback, flags }) => up && !loopback && (flags & MULTICAST) !== 0,
    )
    .sort((a, b) => Number(isOwn(b)) - Number(isOwn(a)))
    .slice(0, MOST_DEVICES);
  const locals = able.flatMap(({ index }) => {
    const some = addresses.find(
      ({ device, family }) => device === index && family === INET,
    );
    return some ? [formatAddress(some.address)] : [];
  });
  return distinct([
    own,
    USUAL_PLACE,
    { group: own.group, port: USUAL_PLACE.port },
    { group: USUAL_PLACE.group, port: own.port },
  ]).flatMap((place) =>
    place.group.includes(":")
      ? able.map(({ name }) => ({
          place,
          joins: {
            group: `${place.group}%${name}`,
            port: place.port,
            locals: [`::%${name}`],
          },
        }))
      : [{ place, joins: { ...place, locals } }],
  );
}

function distinct(places: readonly SyncPlace[]): SyncPlace[] {
  return places.filter(
    (place, at) => places.findIndex((one) => isSamePlace(one, place)) === at,
  );
}

function isSamePlace(a: SyncPlace, b: SyncPlace): boolean {
  return a.group === b.group && a.port === b.port;
}

/** The interface in whose network a sender is: a master sends from an address of its interface. */
function deviceOfSender(
  from: string,
  daemon: Daemon,
  { devices, addresses }: Network,
): string | undefined {
  const [text = "", zone] = from.split("%");
  if (zone !== undefined) return zone;
  const sender = parseAddress(text);
  if (!sender) return undefined;
  const near = addresses
    .filter((one) => isWithin(sender, one.peer ?? one.address, one.prefixBits))
    .sort((a, b) => b.prefixBits - a.prefixBits)
    .flatMap(({ device }) => devices.filter(({ index }) => index === device));
  const own = near.find(({ name }) => name === daemon.multicastInterface);
  return (own ?? near[0])?.name;
}

/**
 * What a datagram says as a sync message, in both versions of the protocol: its second byte is the sync id.
 *
 * @see struct ip_vs_sync_mesg in net/netfilter/ipvs/ip_vs_sync.c
 */
function messageOf(
  data: Uint8Array,
  source: Omit<SyncMessages, "syncIds" | "longestBytes">,
): SyncMessages | undefined {
  const [, syncId] = data;
  return syncId === undefined
    ? undefined
    : { ...source, syncIds: [syncId], longestBytes: data.length };
}

/** Adds a message to those of its sender. */
function add(all: Map<string, SyncMessages>, message: SyncMessages): void {
  const name = `${message.from} ${message.group} ${message.port}`;
  const before = all.get(name);
  if (!before && all.size >= MOST_SENDERS) return;
  const ids = new Set([...(before?.syncIds ?? []), ...message.syncIds]);
  all.set(name, {
    ...message,
    syncIds: [...ids].sort((a, b) => a - b),
    longestBytes: Math.max(before?.longestBytes ?? 0, message.longestBytes),
  });
}
