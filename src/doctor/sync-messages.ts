import { formatAddress } from "../ipvs/address.js";
import type { Daemon } from "../ipvs/model.js";

/** Where a sync daemon sends to, or listens. */
export interface SyncPlace {
  /** The multicast group, without brackets */
  readonly group: string;
  readonly port: number;
}

/** The kernel's defaults. @see linux/ip_vs.h */
export const USUAL_PLACE: SyncPlace = { group: "224.0.0.81", port: 8848 };

/** Sync messages from one sender to one place. */
export interface SyncMessages extends SyncPlace {
  /** The sender's address */
  readonly from: string;
  /** The interface by which they came in; undefined if the sender is in no network of this machine */
  readonly device: string | undefined;
  /** Each once */
  readonly syncIds: readonly number[];
  /** The length of the longest message */
  readonly longestBytes: number;
}

/** The sync messages that arrived for a backup daemon, whether it accepts them or not. */
export interface HeardSync {
  readonly daemon: Daemon;
  /** How long doctor listened, if no message ended it */
  readonly seconds: number;
  /** Those that reach the daemon: by its interface, to its group and port */
  readonly here: readonly SyncMessages[];
  /** Those by other interfaces, or to the usual group and port, where the daemon does not listen */
  readonly elsewhere: readonly SyncMessages[];
}

/** The group and the port of a daemon. */
export function placeOfDaemon({
  multicastGroup,
  multicastPort,
}: Daemon): SyncPlace {
  return {
    group: multicastGroup ? formatAddress(multicastGroup) : USUAL_PLACE.group,
    port: multicastPort ?? USUAL_PLACE.port,
  };
}

/** `eth1, group 224.0.0.81, port 8848` */
export function placeText(daemon: Daemon): string {
  const { group, port } = placeOfDaemon(daemon);
  return `${daemon.multicastInterface}, group ${group}, port ${port}`;
}

/** Whether a backup takes messages with these sync ids: one with sync id 0 takes all. */
export function acceptsMessages(
  { syncId }: Daemon,
  { syncIds }: Pick<SyncMessages, "syncIds">,
): boolean {
  return syncId === 0 ? syncIds.length > 0 : syncIds.includes(syncId);
}

/** The sync ids of messages, each once. */
export function syncIdsOf(messages: readonly SyncMessages[]): number[] {
  const ids = new Set(messages.flatMap(({ syncIds }) => syncIds));
  return [...ids].sort((a, b) => a - b);
}

/** The senders of messages: `10.0.0.1, 10.0.0.3`. */
export function sendersOf(messages: readonly SyncMessages[]): string {
  return [...new Set(messages.map(({ from }) => from))].join(", ");
}
