import type { ServerEntry, ServiceWithServers } from "../../../ipvs/model.js";
import { addsAgain, changeCommand } from "../../commands.js";
import type { Fix } from "../../finding.js";
import { sysctlNumber, type Sysctls } from "../../sysctls.js";
import { endWithNextPacket, NODEST } from "../machine/settings.js";

/** Removes a server, so that each of its connections gets another one with its next packet. */
export function removeServer(
  service: Pick<ServiceWithServers, "key">,
  server: Pick<ServerEntry, "key" | "settings">,
  sysctls: Sysctls,
): Fix[] {
  const command = changeCommand({
    command: "delete-server",
    service: service.key,
    server: server.key,
  });
  const ends = sysctlNumber(sysctls, NODEST) === 1;
  const back = ends
    ? ""
    : `; set ${NODEST.replaceAll("/", ".")} back to 0 afterwards`;
  return [
    ...(ends ? [] : [endWithNextPacket()]),
    {
      command,
      effect: `connections to this server end; the next packet of UDP clients gets another server; this adds the server again: ${addsAgain(service, server)}${back}`,
    },
  ];
}
