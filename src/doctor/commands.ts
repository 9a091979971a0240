import { changeLine } from "../grammar/format-rule.js";
import type { Change } from "../ipvs/change.js";
import {
  formatEndpoint,
  type ServerEntry,
  type ServerSettings,
  type ServiceSettings,
  type ServiceWithServers,
} from "../ipvs/model.js";
import { formatSelector } from "../grammar/selector.js";
import type { Finding, Fix } from "./finding.js";
import { shellWord } from "./shell.js";

/** The name of a service in findings; other subcommands accept it: `tcp/192.0.2.1:80`. */
export function serviceName({ key }: Pick<ServiceWithServers, "key">): string {
  return formatSelector(key);
}

/** The name of a real server in findings: `192.0.2.10:8080 of tcp/192.0.2.1:80`. */
export function serverName(
  service: Pick<ServiceWithServers, "key">,
  { key }: Pick<ServerEntry, "key">,
): string {
  return `${formatEndpoint(key.address, key.port)} of ${serviceName(service)}`;
}

/** The subject of a finding about a service. */
export function ofService(
  service: Pick<ServiceWithServers, "key">,
): Pick<Finding, "subject" | "service"> {
  return { subject: serviceName(service), service: service.key };
}

/** The subject of a finding about a real server. */
export function ofServer(
  service: Pick<ServiceWithServers, "key">,
  server: Pick<ServerEntry, "key">,
): Pick<Finding, "subject" | "service" | "server"> {
  const subject = serverName(service, server);
  return { subject, service: service.key, server: server.key };
}

/** A change of the table as a command for a shell, which would read the brackets of IPv6 addresses as a pattern. */
export function changeCommand(change: Change): string {
  return `ipvsadm ${quoted(changeLine(change))}`;
}

/** Options with each word quoted that needs it. */
export function quoted(options: string): string {
  return options.split(" ").map(shellWord).join(" ");
}

/** The command that changes some settings of a real server and keeps the others. */
export function editServer(
  { key: service }: Pick<ServiceWithServers, "key">,
  { key: server, settings: old }: ServerEntry,
  change: Partial<ServerSettings>,
): Fix {
  const settings = { ...old, ...change };
  return {
    command: changeCommand({
      command: "edit-server",
      ...{ service, server, settings },
    }),
  };
}

/** The command that changes some settings of a service and keeps the others. */
export function editService(
  { key: service, settings: old }: ServiceWithServers,
  change: Partial<ServiceSettings>,
): Fix {
  const settings = { ...old, ...change };
  return {
    command: changeCommand({ command: "edit-service", service, settings }),
  };
}

/** The command that adds a server again as it was. */
export function addsAgain(
  { key }: Pick<ServiceWithServers, "key">,
  { key: server, settings }: Pick<ServerEntry, "key" | "settings">,
): string {
  return changeCommand({
    command: "add-server",
    service: key,
    ...{ server, settings },
  });
}
