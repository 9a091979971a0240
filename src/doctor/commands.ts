import { ruleLines } from "../grammar/rule.js";
import {
  formatEndpoint,
  type DestinationEntry,
  type DestinationSettings,
  type ServiceSettings,
  type ServiceWithServers,
} from "../ipvs/model.js";
import { formatSelector } from "../grammar/selector.js";
import type { Mend } from "./finding.js";

/** How a service is called in findings, which is how other verbs read it: `tcp/192.0.2.1:80`. */
export function serviceName({ key }: Pick<ServiceWithServers, "key">): string {
  return formatSelector(key);
}

/** How a real server is called: `192.0.2.10:8080 of tcp/192.0.2.1:80`. */
export function serverName(
  service: Pick<ServiceWithServers, "key">,
  { key }: Pick<DestinationEntry, "key">,
): string {
  return `${formatEndpoint(key.address, key.port)} of ${serviceName(service)}`;
}

/** The command that changes some settings of a real server, and leaves the others. */
export function editServer(
  service: ServiceWithServers,
  server: DestinationEntry,
  change: Partial<DestinationSettings>,
): Mend {
  const changed = { ...server, settings: { ...server.settings, ...change } };
  const [, line = ""] = rules({ ...service, servers: [changed] });
  return { command: `ipvsadm ${line.replace(/^-a/, "-e")}` };
}

/** The command that changes some settings of a service, and leaves the others. */
export function editService(
  service: ServiceWithServers,
  change: Partial<ServiceSettings>,
): Mend {
  const settings = { ...service.settings, ...change };
  const [line = ""] = rules({ ...service, settings, servers: [] });
  return { command: `ipvsadm ${line.replace(/^-A/, "-E")}` };
}

/** The words by which the classic commands name a service: `-t 192.0.2.1:80`. */
export function serviceWords(service: ServiceWithServers): string {
  const [line = ""] = rules({ ...service, servers: [] });
  return line.replace(/^-A /, "").replace(/ -s .*/, "");
}

function rules(service: ServiceWithServers): string[] {
  const name: Parameters<typeof ruleLines>[1] = formatEndpoint;
  return [...ruleLines(service, name)].map((line) => line.trimEnd());
}
