import { familyOf, INET, parseAddress } from "../../../ipvs/address.js";
import { BACKUP, UDP, type Daemon } from "../../../ipvs/model.js";
import { check } from "../../check.js";
import type { Finding } from "../../finding.js";
import { acceptRule } from "../../firewall/accept-rule.js";
import { describeAction, describePlace } from "../../firewall/describe.js";
import { stopsOf, type Flow } from "../../firewall/flow.js";
import type { Packet } from "../../firewall/packet.js";
import type { Ruleset } from "../../firewall/ruleset.js";
import type { Stop } from "../../firewall/walk.js";
import type { Network } from "../../network.js";
import {
  placeOfDaemon,
  placeText,
  type HeardSync,
} from "../../sync-messages.js";

/** A firewall rule that stops, or perhaps stops, the messages of a sync daemon of this machine. */
export interface SyncBlockage {
  readonly daemon: Daemon;
  readonly flow: Flow;
  readonly stop: Stop;
}

/** The rules that stop the messages of sync daemons. Those of a backup that hears messages are not looked at. */
export function syncBlockages(
  daemons: readonly Daemon[],
  heard: readonly HeardSync[],
  network: Network,
  firewall: Ruleset,
): SyncBlockage[] {
  return daemons
    .filter(
      (daemon) =>
        !heard.some((one) => one.daemon === daemon && one.here.length > 0),
    )
    .flatMap((daemon) => {
      const flow = messagesOf(daemon, network);
      return stopsOf(flow, firewall)
        .filter(({ does }) => does !== "redirect")
        .map((stop) => ({ daemon, flow, stop }));
    });
}

/** A firewall that stops the messages of sync daemons. */
export const syncFirewall = check(
  ["sync-blocked"],
  ["daemons", "network", "heard", "firewall"],
  ({ daemons, heard, network, firewall }) =>
    syncBlockages(daemons, heard, network, firewall)
      .filter(({ stop }) => stop.certain)
      .map(({ daemon, flow, stop }): Finding<"sync-blocked"> => ({
        id: "sync-blocked",
        subject: daemon.multicastInterface,
        seen: `${describePlace(stop)}, ${describeAction(stop, flow.text)}`,
        fix: [acceptRule(flow, stop)],
      })),
);

/** The messages that a master here sends, or a backup here receives. */
function messagesOf(daemon: Daemon, network: Network): Flow {
  const { multicastInterface: name, state } = daemon;
  const { group, port } = placeOfDaemon(daemon);
  const destination = daemon.multicastGroup ?? parseAddress(group);
  const family = destination ? familyOf(destination) : INET;
  const match = {
    family,
    destination,
    protocol: UDP,
    destinationPort: port,
  } as const;
  const packet: Packet = {
    ...match,
    destinationIsLocal: false,
    mark: 0,
    // Nobody answers them.
    states: ["new"],
  };
  const text = `sync messages (${placeText(daemon)})`;
  if (state === BACKUP) {
    const packets = [{ ...packet, incoming: name }];
    return {
      text,
      match: { ...match, incoming: name },
      stages: [
        { hook: "prerouting", packets },
        { hook: "input", packets },
      ],
    };
  }
  const index = network.devices.find((device) => device.name === name)?.index;
  const own = network.addresses.find(
    (one) => one.device === index && one.family === family,
  );
  const packets = [{ ...packet, outgoing: name, source: own?.address }];
  return {
    text,
    match: { ...match, outgoing: name },
    stages: [
      { hook: "output", packets },
      { hook: "postrouting", packets },
    ],
  };
}
