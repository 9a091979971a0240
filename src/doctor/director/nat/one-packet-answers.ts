import {
  formatEndpoint,
  MASQUERADING,
  ONE_PACKET,
} from "../../../ipvs/model.js";
import { check } from "../../check.js";
import { editService, ofService } from "../../commands.js";
import type { Finding } from "../../finding.js";
import { walk } from "../../firewall/walk.js";
import { isLocal } from "../../network.js";
import { flowsOf } from "../firewall/flows.js";
import { isServing } from "../reach/reach.js";

/** One-packet scheduling with masqueraded servers, whose answers nobody translates. */
export const onePacketAnswers = check(
  ["one-packet-masqueraded"],
  ["table", "allServices", "network", "sysctls", "connections", "firewall"],
  (facts) =>
    facts.table.flatMap((service): Finding<"one-packet-masqueraded">[] => {
      const { flags } = service.settings;
      if (!(flags & ONE_PACKET)) return [];
      // IPVS translates what servers send, as with SIP. @see __ip_vs_rs_conn_out() in ip_vs_core.c
      if (service.settings.persistenceEngine) return [];
      const servers = service.servers.filter(
        (server) =>
          isServing(server) &&
          server.settings.forwarding === MASQUERADING &&
          isLocal(facts.network, server.key.address) === false,
      );
      if (servers.length === 0) return [];
      // A rule can give the answers the virtual address.
      const isTranslated = flowsOf(service, facts)
        .filter(({ what }) => what === "answers")
        .flatMap(({ stages }) => stages)
        .filter(({ hook }) => hook === "forward")
        .flatMap(({ packets }) => packets)
        .some((packet) => {
          const { translations, unusedTranslations } = walk(
            facts.firewall,
            "postrouting",
            { ...packet, states: ["new"] },
          );
          return translations.length + unusedTranslations.length > 0;
        });
      if (isTranslated) return [];
      const names = servers
        .map(({ key }) => formatEndpoint(key.address, key.port))
        .join(", ");
      return [
        {
          id: "one-packet-masqueraded",
          ...ofService(service),
          seen: `it has one-packet scheduling, and its real servers ${names} are masqueraded: their answers keep the servers' own addresses`,
          certainty: "likely",
          evidence: [
            "it is no fault if clients expect no answers, as with syslog or NetFlow",
          ],
          fix: [
            {
              ...editService(service, { flags: flags & ~ONE_PACKET }),
              effect:
                "datagrams of a client with the same port go to the same server until the UDP timeout",
            },
          ],
        },
      ];
    }),
);
