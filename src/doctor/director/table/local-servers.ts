import { formatAddress } from "../../../ipvs/address.js";
import {
  formatEndpoint,
  MASQUERADING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { addsAgain, changeCommand, ofServer } from "../../commands.js";
import { check, type Known } from "../../check.js";
import type { Facts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import { isLoopback } from "../../real-server/listening.js";
import { isVirtual } from "../nat/director-address.js";
import { unheard } from "./unheard-server.js";
import { collisionAt } from "../reach/server-collisions.js";

type Id = "server-on-loopback" | "local-server-unheard";

/** Masqueraded servers at an address such as 127.0.0.1, and local servers without a program. */
export const localServers = check(
  ["server-on-loopback", "local-server-unheard"],
  ["table", "network", "listeners"],
  (facts) =>
    facts.table.flatMap((service) =>
      service.servers
        .filter(({ settings }) => settings.weight > 0)
        .flatMap((server): Finding<Id>[] =>
          isOnLoopback(server) && !isAtLoopback(service)
            ? [onLoopback(service, server, facts)]
            : // The address is that of another machine.
              collisionAt(server.key.address, facts)
              ? []
              : unheard(service, server, facts),
        ),
    ),
);

/** Whether the kernel drops all requests of clients to a server, because its address is a loopback address. */
export function isOnLoopback({ key, settings }: ServerEntry): boolean {
  return settings.forwarding === MASQUERADING && isLoopback(key.address);
}

/** Whether only programs of this machine reach a service. */
function isAtLoopback({ key }: ServiceWithServers): boolean {
  return !("firewallMark" in key) && isLoopback(key.address);
}

/** Programs of this machine reach such a server. */
function doubt({
  stats,
}: ServerEntry): Pick<Finding<Id>, "certainty" | "evidence"> {
  return stats.outPackets === 0n
    ? {}
    : {
        certainty: "likely",
        evidence: [
          "it has answered since it was added, as it answers programs of this machine",
        ],
      };
}

function onLoopback(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: Facts & Known<"network" | "listeners">,
): Finding<"server-on-loopback"> {
  const { address, port } = server.key;
  const own = facts.network.addresses.find(
    (one) =>
      one.address.length === address.length &&
      one.scope === "global" &&
      !one.tentative &&
      !one.duplicate &&
      // A temporary address of IPv6 expires.
      !(address.length === 16 && one.secondary) &&
      !isVirtual(one.address, facts),
  )?.address;
  const text = formatEndpoint(address, port);
  const seen = `it is masqueraded, and ${text} is a loopback address of this machine`;
  if (!own)
    return {
      id: "server-on-loopback",
      ...ofServer(service, server),
      seen,
      ...doubt(server),
      fix: [],
    };
  const key = { address: own, port };
  return {
    id: "server-on-loopback",
    ...ofServer(service, server),
    seen,
    ...doubt(server),
    procedure: [
      `If the program of this machine also listens at port ${port} of ${formatAddress(own)}, or of any address, let the server have that address:`,
      {
        commands: [
          addsAgain(service, { key, settings: server.settings }),
          changeCommand({
            command: "delete-server",
            service: service.key,
            server: server.key,
          }),
        ],
      },
      "If the program listens at the loopback address only, change that first in its configuration. With keepalived, change the address of sorry_server or real_server there.",
    ],
    fix: [],
  };
}
