import { serviceWords } from "../../../grammar/format-rule.js";
import { formatEndpoint, type ServerEntry } from "../../../ipvs/model.js";
import { assess, type AssessedService } from "../../../ipvs/state.js";
import { check } from "../../check.js";
import { editServer, ofService, quoted } from "../../commands.js";
import { groupsOf, type ConnectionGroup } from "../../connections.js";
import type { Facts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import { examineThere } from "../nat/examine-there.js";

type Id = "no-servers" | "all-drained" | "all-overloaded";

/** Services that give new connections to no server. */
export const capacity = check(
  ["no-servers", "all-drained", "all-overloaded"],
  ["table"],
  (facts) =>
    facts.table.map(assess).flatMap((service) => findingsOf(service, facts)),
);

function findingsOf(service: AssessedService, facts: Facts): Finding<Id>[] {
  const subject = ofService(service);
  switch (service.state) {
    case "no-servers": {
      const command = `ipvsadm -a ${quoted(serviceWords(service.key))} -r SERVER`;
      const effect = "SERVER is the address and port of a real server";
      const seen = "it has no real server";
      return [
        { id: "no-servers", ...subject, seen, fix: [{ command, effect }] },
      ];
    }
    case "all-drained": {
      const fix = service.servers.map((server) =>
        editServer(service, server, { weight: 1 }),
      );
      const seen = `${all(service)} weight 0`;
      return [{ id: "all-drained", ...subject, seen, fix }];
    }
    case "all-overloaded":
      return [overloaded(service, facts)];
    case "ok":
      return [];
  }
}

function overloaded(
  service: AssessedService,
  facts: Facts,
): Finding<"all-overloaded"> {
  const full = service.servers.filter(({ state }) => state === "overloaded");
  const counts = full.map(
    (server) => `${connections(server)} of ${server.settings.upperThreshold}`,
  );
  const silent = full.filter((server) => isHalfOpen(service, server, facts));
  const { network } = facts;
  return {
    id: "all-overloaded",
    ...ofService(service),
    seen: `its real servers are at their upper thresholds: ${counts.join(", ")}`,
    evidence: [
      ...silent.map(
        (server) =>
          `all connections to ${endpoint(server)} wait in SYN_RECV: it does not answer, and a higher threshold does not help`,
      ),
      ...service.servers
        .filter(({ state }) => state === "draining")
        .map(
          (server) =>
            `${endpoint(server)} has weight 0, so it gets no new connections: give it a weight if it is in order`,
        ),
    ],
    next: network
      ? silent.map((server) =>
          examineThere(
            service,
            server,
            { ...facts, network },
            groupsIn(service, server, facts)[0]?.openingClients[0],
          ),
        )
      : [],
    cure:
      silent.length > 0
        ? "Find out first why the servers do not answer: run the commands above there. Do not raise the threshold before."
        : undefined,
    fix: (silent.length > 0 ? [] : full).map((server) => {
      // A server can exceed its threshold, because the threshold can be newer than the connections.
      const upperThreshold = 2 * connections(server);
      return editServer(service, server, { upperThreshold });
    }),
  };
}

/** Whether no connection of a server has got an answer. */
function isHalfOpen(
  service: AssessedService,
  server: ServerEntry,
  facts: Facts,
): boolean {
  const states = groupsIn(service, server, facts).flatMap((group) => [
    ...group.states.keys(),
  ]);
  return states.length > 0 && states.every((state) => state === "SYN_RECV");
}

function groupsIn(
  service: AssessedService,
  server: ServerEntry,
  { connections, allServices }: Facts,
): ConnectionGroup[] {
  return connections ? groupsOf(connections, service, server, allServices) : [];
}

function endpoint({ key: { address, port } }: ServerEntry): string {
  return formatEndpoint(address, port);
}

function connections(server: ServerEntry): number {
  return server.activeConnections + server.inactiveConnections;
}

function all({ servers }: AssessedService): string {
  return servers.length === 1
    ? "its only real server has"
    : `all of its ${servers.length} real servers have`;
}
