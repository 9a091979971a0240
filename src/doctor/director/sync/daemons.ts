import { parseAddress } from "../../../ipvs/address.js";
import { BACKUP, MASTER, type Daemon } from "../../../ipvs/model.js";
import { check } from "../../check.js";
import type { Connections } from "../../connections.js";
import type { Finding, Fix } from "../../finding.js";
import { changeCommand } from "../../commands.js";
import {
  acceptsMessages,
  placeOfDaemon,
  placeText,
  sendersOf,
  syncIdsOf,
  type HeardSync,
  type SyncMessages,
} from "../../sync-messages.js";
import { syncBlockages } from "./firewall.js";

/** The command that shows the master's sync daemon. */
const COMPARE: Fix = {
  command: "ipvsadm -L --daemon",
  on: "the director with the master",
};

/** Whether messages arrived that the backup ignores, and none that it accepts. */
export function ignoresAll({ daemon, here }: HeardSync): boolean {
  return (
    here.length > 0 &&
    !here.some((messages) => acceptsMessages(daemon, messages))
  );
}

/** A backup that ignores the messages of its master. */
export const syncIds = check(
  ["sync-ids-differ"],
  ["daemons", "network", "heard"],
  ({ daemons, heard, connections }) =>
    heard.filter(ignoresAll).flatMap((one): Finding<"sync-ids-differ">[] => {
      const { daemon, here } = one;
      const ids = syncIdsOf(here);
      const [other] = ids;
      if (other === undefined) return [];
      const doubts = doubtsOf(here, daemons, connections);
      return [
        {
          id: "sync-ids-differ",
          subject: daemon.multicastInterface,
          seen: `the backup here accepts messages with sync id ${daemon.syncId}, and the messages that arrive have ${ids.join(", ")}`,
          // The only sender can be the master of another pair in this network.
          certainty: "likely",
          evidence: [
            `they come from ${sendersOf(here)}`,
            ...doubts,
            `a daemon takes its sync id only when it starts; if the sender is the other director of this pair, restart the backup to accept its messages: "${restart({ ...daemon, syncId: other })}", after which connections of the time without it are missing here`,
          ],
          next: [COMPARE],
          fix: [],
        },
      ];
    }),
  (facts) => isCompared(facts),
);

/** Why the messages are perhaps those of another pair of directors. */
function doubtsOf(
  messages: readonly SyncMessages[],
  daemons: readonly Daemon[],
  connections: Connections | undefined,
): string[] {
  const passive = !daemons.some(({ state }) => state === MASTER);
  const entries = passive ? (connections?.entries ?? 0) : 0;
  const senders = new Set(messages.map(({ from }) => from));
  return [
    ...(entries > 0
      ? [
          `${entries} ${entries === 1 ? "entry is" : "entries are"} in the connection table here: this backup accepted messages before, or was active; then these messages perhaps belong to other directors`,
        ]
      : []),
    ...(senders.size > 1
      ? ["several masters send, perhaps none of them the one of this backup"]
      : []),
  ];
}

/** Whether every sync daemon here was compared with the other director's. */
function isCompared({
  daemons,
  heard,
}: {
  readonly daemons: readonly Daemon[];
  readonly heard: readonly HeardSync[];
}): boolean {
  return daemons.every(
    (daemon) =>
      daemon.state === BACKUP &&
      (daemon.syncId === 0 ||
        heard.some((one) => one.daemon === daemon && one.here.length > 0)),
  );
}

/** Whether every backup heard something. */
function isHeard({ heard }: { readonly heard: readonly HeardSync[] }): boolean {
  return heard.every(({ here }) => here.length > 0);
}

/** A backup that listens where no messages arrive. */
export const syncPlaces = check(
  ["sync-elsewhere"],
  ["daemons", "network", "heard"],
  ({ daemons, network, heard, firewall, connections }) => {
    const blockages = firewall
      ? syncBlockages(daemons, heard, network, firewall)
      : [];
    return heard.flatMap(
      ({ daemon, here, elsewhere }): Finding<"sync-elsewhere">[] => {
        const accepted = elsewhere.filter((messages) =>
          acceptsMessages(daemon, messages),
        );
        const [first] = accepted;
        if (here.length > 0 || first === undefined) return [];
        // Then it is known why no message arrives there.
        if (blockages.some((one) => one.daemon === daemon && one.stop.certain))
          return [];
        const doubts = doubtsOf(accepted, daemons, connections);
        const arrivals = accepted.map(arrivalText).join("; ");
        return [
          {
            id: "sync-elsewhere",
            subject: daemon.multicastInterface,
            seen: `the backup here listens on ${placeText(daemon)}, where no message arrives; messages arrive ${arrivals}`,
            certainty: "likely",
            evidence:
              doubts.length > 0
                ? doubts
                : [
                    `a daemon takes its place only when it starts; to listen there, restart the backup: "${restart(movedTo(daemon, first))}", after which connections of the time without it are missing here`,
                  ],
            next: [COMPARE],
            fix: [],
          },
        ];
      },
    );
  },
  isHeard,
);

function arrivalText({
  device,
  group,
  port,
  from,
  syncIds,
}: SyncMessages): string {
  const by = device === undefined ? "" : `by ${device}, `;
  return `${by}for group ${group}, port ${port}, with sync id ${syncIds.join(", ")}, from ${from}`;
}

/** The daemon where the messages arrive. */
function movedTo(
  daemon: Daemon,
  { group, port, device }: SyncMessages,
): Daemon {
  const before = placeOfDaemon(daemon);
  return {
    ...daemon,
    multicastInterface: device ?? daemon.multicastInterface,
    multicastGroup:
      group === before.group ? daemon.multicastGroup : parseAddress(group),
    multicastPort: port === before.port ? daemon.multicastPort : port,
  };
}

/** A backup whose limit is below the length of the messages. */
export const syncLengths = check(
  ["sync-too-long"],
  ["daemons", "network", "heard"],
  ({ heard }) =>
    heard.flatMap(({ daemon, here }): Finding<"sync-too-long">[] => {
      const { maximumLength, multicastInterface } = daemon;
      const longest = Math.max(
        0,
        ...here
          .filter((messages) => acceptsMessages(daemon, messages))
          .map(({ longestBytes }) => longestBytes),
      );
      if (maximumLength === undefined || longest <= maximumLength) return [];
      return [
        {
          id: "sync-too-long",
          subject: multicastInterface,
          seen: `a message of ${longest} bytes arrived, and the backup here reads at most ${maximumLength} (maxlen)`,
          evidence: [
            `a daemon takes its limit only when it starts; to read such messages, restart the backup: "${restart({ ...daemon, maximumLength: undefined })}", after which connections of the time without it are missing here`,
          ],
          next: [COMPARE],
          fix: [],
        },
      ];
    }),
  // To a backup, a longer message may still come.
  ({ heard }) => heard.length === 0,
);

/** The command that restarts a backup daemon. */
function restart(daemon: Daemon): string {
  const start = changeCommand({ command: "start-daemon", daemon });
  return `ipvsadm --stop-daemon backup && ${start}`;
}
