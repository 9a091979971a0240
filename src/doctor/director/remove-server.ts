import { changeLine } from "../../grammar/format-rule.js";
import type { ServerEntry, ServiceWithServers } from "../../ipvs/model.js";
import type { Fix } from "../finding.js";
import { sysctlNumber, type Sysctls } from "../sysctls.js";
import { endWithNextPacket, NODEST } from "./settings.js";

/** Removes a server, so that each of its connections gets another one with its next packet. */
export function removeServer(
  service: Pick<ServiceWithServers, "key">,
  server: Pick<ServerEntry, "key">,
  sysctls: Sysctls,
): Fix[] {
  const line = changeLine({
    command: "delete-server",
    service: service.key,
    server: server.key,
  });
  return [
    ...(sysctlNumber(sysctls, NODEST) === 1 ? [] : [endWithNextPacket()]),
    {
      command: `ipvsadm ${line}`,
      effect:
        "connections to this server end; the next packet of UDP clients gets another server",
    },
  ];
}
