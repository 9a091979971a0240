import {
  DIRECT_ROUTING,
  PERSISTENT,
  TUNNELING,
  wholeNetmask,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { editService, ofService } from "../../commands.js";
import type { Facts as AllFacts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import { isPassive, isServing } from "../reach/reach.js";
import {
  FTP_PORT,
  ftpEvidence,
  hasDataServices,
  isFtp,
  type FtpService,
} from "./ftp.js";

type Facts = AllFacts & Known<"table" | "allServices">;

/** The timeout of `-p` without a value */
const USUAL_TIMEOUT_SECONDS = 300;

/** FTP by direct routing or tunneling without persistence: the kernel has no server for data connections. */
export const ftpPersistence = check(
  ["ftp-not-persistent"],
  ["table", "allServices", "daemons"],
  (facts) =>
    isPassive(facts.daemons)
      ? []
      : ftpWithoutPersistence(facts).map(({ service, method }) =>
          findingOf(service, method, facts),
        ),
);

/** A service for FTP that is not persistent, with the forwarding method that needs it */
export interface FtpWithoutPersistence {
  readonly service: FtpService;
  /** In words: `direct routing` */
  readonly method: string;
}

/** The services for FTP whose data connections have no server. */
export function ftpWithoutPersistence(
  facts: Pick<Facts, "table" | "allServices" | "firewall">,
): FtpWithoutPersistence[] {
  return facts.table.filter(isFtp).flatMap((service) => {
    const { key, settings } = service;
    // The kernel does so only for the service at this port.
    if (key.port !== FTP_PORT || (settings.flags & PERSISTENT) !== 0) return [];
    const method = methodOf(service);
    return method === undefined || hasDataServices(service, facts)
      ? []
      : [{ service, method }];
  });
}

function findingOf(
  service: FtpService,
  method: string,
  { allServices, connections }: Facts,
): Finding<"ftp-not-persistent"> {
  const flags = service.settings.flags | PERSISTENT;
  // Without persistence, programs often leave it empty, which makes all clients one.
  const netmask = wholeNetmask(service.key.family);
  const timeoutSeconds = USUAL_TIMEOUT_SECONDS;
  return {
    id: "ftp-not-persistent",
    ...ofService(service),
    seen: `its servers have ${method}, and it is not persistent: if it is for FTP, clients can log in and get no file`,
    certainty: "likely",
    evidence: ftpEvidence(service, connections, allServices),
    fix: [
      {
        ...editService(service, { flags, timeoutSeconds, netmask }),
        effect: `a client stays with its server until ${timeoutSeconds / 60} minutes after its last connection; clients that are logged in have to do so again`,
      },
    ],
  };
}

/** The forwarding method with which answers do not pass the director; undefined if no server has one. */
function methodOf({ servers }: ServiceWithServers): string | undefined {
  const serving = servers.filter(isServing);
  const has = (method: number) =>
    serving.some(({ settings }) => settings.forwarding === method);
  if (has(DIRECT_ROUTING)) return "direct routing";
  return has(TUNNELING) ? "tunneling" : undefined;
}
