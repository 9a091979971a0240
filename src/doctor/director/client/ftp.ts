import { serviceName } from "../../commands.js";
import { lackOf, ftpWithoutHelper } from "../table/ftp-helper.js";
import { ftpWithoutPersistence } from "../table/ftp-persistence.js";
import { usedConnections } from "./entries.js";
import { serviceOf } from "./servers.js";
import type { ClientSightings, TraceFacts, TraceStep } from "./trace-step.js";

/** Services that the client uses, and whose data connections stop if they are for FTP. */
export function ftpSteps(
  facts: TraceFacts,
  sightings: ClientSightings,
): TraceStep[] {
  const used = new Set(
    usedConnections(sightings).map(({ connection }) =>
      serviceOf(facts.table, connection),
    ),
  );
  const { ftpHelper } = facts;
  const lacks = [
    ...(ftpHelper
      ? ftpWithoutHelper({ ...facts, ftpHelper }).map((service) => ({
          service,
          text: lackOf(service, ftpHelper),
        }))
      : []),
    ...ftpWithoutPersistence(facts).map(({ service, method }) => ({
      service,
      text: `its servers have ${method}, and it is not persistent`,
    })),
  ];
  return lacks
    .filter(({ service }) => used.has(service))
    .map(({ service, text }) => ({
      step: "ftp",
      state: "unknown",
      text: `${serviceName(service)}: if it is for FTP, the client can log in and gets no file: ${text}. 'ipvsadm doctor' prints the fix`,
    }));
}
