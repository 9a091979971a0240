import { serviceWords } from "../../grammar/format-rule.js";
import type { ServerEntry } from "../../ipvs/model.js";
import { assess, type AssessedService } from "../../ipvs/state.js";
import { check } from "../check.js";
import { editServer, ofService } from "../commands.js";
import type { Finding } from "../finding.js";

type Id = "no-servers" | "all-drained" | "all-overloaded";

/** Services that give new connections to no server. */
export const capacity = check(
  ["no-servers", "all-drained", "all-overloaded"],
  ["table"],
  ({ table }) => table.map(assess).flatMap(findingsOf),
);

function findingsOf(service: AssessedService): Finding<Id>[] {
  const subject = ofService(service);
  switch (service.state) {
    case "no-servers": {
      const command = `ipvsadm -a ${serviceWords(service.key)} -r SERVER`;
      const seen = "it has no real server";
      return [{ id: "no-servers", ...subject, seen, fix: [{ command }] }];
    }
    case "all-drained": {
      const fix = service.servers.map((server) =>
        editServer(service, server, { weight: 1 }),
      );
      const seen = `${all(service)} weight 0`;
      return [{ id: "all-drained", ...subject, seen, fix }];
    }
    case "all-overloaded":
      return [overloaded(service)];
    case "ok":
      return [];
  }
}

function overloaded(service: AssessedService): Finding<"all-overloaded"> {
  const full = service.servers.filter(({ state }) => state === "overloaded");
  const counts = full.map(
    (server) => `${connections(server)} of ${server.settings.upperThreshold}`,
  );
  return {
    id: "all-overloaded",
    ...ofService(service),
    seen: `its real servers are at their upper thresholds: ${counts.join(", ")}`,
    fix: full.map((server) => {
      // A server can exceed its threshold, because the threshold can be newer than the connections.
      const upperThreshold = 2 * connections(server);
      return editServer(service, server, { upperThreshold });
    }),
  };
}

function connections(server: ServerEntry): number {
  return server.activeConnections + server.inactiveConnections;
}

function all({ servers }: AssessedService): string {
  return servers.length === 1
    ? "its only real server has"
    : `all of its ${servers.length} real servers have`;
}
