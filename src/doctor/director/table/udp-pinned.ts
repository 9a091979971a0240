import { formatAddress } from "../../../ipvs/address.js";
import {
  MASQUERADING,
  ONE_PACKET,
  type ServiceSettings,
  type ServiceWithServers,
  type Timeouts,
} from "../../../ipvs/model.js";
import { check } from "../../check.js";
import { editService, ofService } from "../../commands.js";
import type { Finding } from "../../finding.js";
import {
  pinnedDatagrams,
  SPREADING_SCHEDULERS,
  type PinnedDatagrams,
} from "../reach/pinned-datagrams.js";

/** UDP services whose datagrams nearly all come from one client port, and go to one server. */
export const udpPinned = check(
  ["udp-pinned"],
  ["table", "connections", "timeouts"],
  (facts) =>
    facts.table.flatMap((service): Finding<"udp-pinned">[] => {
      const pinned = pinnedDatagrams(service, facts);
      return pinned ? [findingOf(service, pinned, facts.timeouts)] : [];
    }),
);

function findingOf(
  service: ServiceWithServers,
  { client, entries, server, atServer, all, seconds }: PinnedDatagrams,
  { udpSeconds }: Timeouts,
): Finding<"udp-pinned"> {
  const when =
    seconds === undefined
      ? "since its servers were added"
      : `in ${Math.round(seconds)} s`;
  const how = entries === 1 ? "1 entry" : `${entries} entries`;
  const isMasqueraded = service.servers.some(
    ({ settings }) => settings.forwarding === MASQUERADING,
  );
  const fix = {
    ...editService(service, byDatagram(service.settings)),
    effect: `${changedScheduler(service.settings)}each datagram is scheduled by itself: datagrams of one conversation can go to several servers, which is wrong if servers must remember earlier ones; an entry that exists stays until ${udpSeconds} s pass without a datagram of its client port`,
  };
  return {
    id: "udp-pinned",
    ...ofService(service),
    seen: `${atServer} of ${all} datagrams ${when} went to ${server}; the connection table has ${how} of the service, of client ${formatAddress(client)}`,
    certainty: "likely",
    evidence: [
      "it is no fault if this client is the only one, and the servers must remember its earlier datagrams, as with SIP dialogs, QUIC, DTLS or a VPN: then leave it",
    ],
    ...(isMasqueraded
      ? {
          cure: "One-packet scheduling (-o) cannot be used here: a real server is masqueraded, and its answers would keep its own address. Have the client send from several ports: each port is scheduled by itself, with rr one after the other. Or use direct routing or tunneling, with -o.",
        }
      : {}),
    fix: isMasqueraded ? [] : [fix],
  };
}

/** One-packet scheduling, with a scheduler that then uses all servers. */
function byDatagram({
  flags,
  scheduler,
}: ServiceSettings): Partial<ServiceSettings> {
  return {
    flags: flags | ONE_PACKET,
    scheduler: SPREADING_SCHEDULERS.get(scheduler) ?? scheduler,
  };
}

function changedScheduler({ scheduler }: ServiceSettings): string {
  const other = SPREADING_SCHEDULERS.get(scheduler);
  return other === undefined || other === scheduler
    ? ""
    : `the scheduler becomes ${other}, because datagrams leave no entries, by which ${scheduler} chooses; `;
}
