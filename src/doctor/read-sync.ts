import { formatAddress, INET } from "../ipvs/address.js";
import { BACKUP, type Daemon } from "../ipvs/model.js";
import { receiveMulticast } from "../system/multicast-listener.js";
import type { Network } from "./network.js";

/** The kernel's defaults. @see linux/ip_vs.h */
const USUAL_GROUP = "224.0.0.81";
const USUAL_PORT = 8848;
/** A busy master sends several times a second. */
export const LISTENING_MILLISECONDS = 1500;

/** The sync messages that arrive for a backup daemon. */
export interface HeardSync {
  readonly daemon: Daemon;
  /** The sync ids of the messages, each once */
  readonly syncIds: readonly number[];
}

/** Listens to the sync messages for the backup daemons of this machine. */
export function listenToMasters(
  daemons: readonly Daemon[],
  network: Network,
): Promise<HeardSync[]> {
  return Promise.all(
    daemons
      .filter(({ state }) => state === BACKUP)
      .map(async (daemon) => {
        const group = daemon.multicastGroup
          ? formatAddress(daemon.multicastGroup)
          : USUAL_GROUP;
        const port = daemon.multicastPort ?? USUAL_PORT;
        const local = placeOf(daemon.multicastInterface, group, network);
        if (local === undefined) return { daemon, syncIds: [] };
        const heard = await receiveMulticast(
          group,
          port,
          local,
          LISTENING_MILLISECONDS,
        );
        return { daemon, syncIds: syncIdsIn(heard.map(({ data }) => data)) };
      }),
  );
}

/** The name of an interface for joining a multicast group. */
function placeOf(
  name: string,
  group: string,
  { devices, addresses }: Network,
): string | undefined {
  if (group.includes(":")) return `::%${name}`;
  const index = devices.find((device) => device.name === name)?.index;
  const own = addresses.find(
    ({ device, family }) => device === index && family === INET,
  );
  return own && formatAddress(own.address);
}

/**
 * The sync ids of messages: the second byte, in both versions of the protocol.
 *
 * @see struct ip_vs_sync_mesg in net/netfilter/ipvs/ip_vs_sync.c
 */
export function syncIdsIn(messages: readonly Uint8Array[]): number[] {
  const ids = messages.flatMap((data) =>
    data[1] === undefined ? [] : [data[1]],
  );
  return [...new Set(ids)].sort((a, b) => a - b);
}
