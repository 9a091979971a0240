import { formatAddress } from "../../ipvs/address.js";
import {
  formatEndpoint,
  MASQUERADING,
  TCP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import { probeTcp } from "../../system/tcp-probe.js";
import type { Probe } from "../probe-result.js";
import { isServing } from "./reach.js";

/** More servers are not probed. */
const MOST_SERVERS = 256;
const AT_ONCE = 16;
const LONGEST_MILLISECONDS = 2000;

/** Connects to each real server with a weight, to its own address and port. Each endpoint is probed once. */
export async function probeServers(
  table: readonly ServiceWithServers[],
): Promise<{ probes: Probe[]; skipped: string[] }> {
  const targets = new Map<string, Omit<Probe, "result">[]>();
  const skipped: string[] = [];
  for (const service of table)
    for (const server of service.servers.filter(isServing)) {
      const { address, port } = server.key;
      const text = formatEndpoint(address, port);
      const reason = whyNot(service, server);
      if (reason !== undefined) {
        skipped.push(`${text} (${reason})`);
        continue;
      }
      const known = targets.get(text);
      if (known) known.push({ service, server });
      else if (targets.size < MOST_SERVERS)
        targets.set(text, [{ service, server }]);
      else skipped.push(`${text} (only ${MOST_SERVERS} servers are probed)`);
    }
  const probes: Probe[] = [];
  const waiting = [...targets.values()];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [first] = next;
      if (!first) continue;
      const { address, port } = first.server.key;
      const result = await probeTcp(
        formatAddress(address),
        port,
        LONGEST_MILLISECONDS,
      );
      probes.push(...next.map((one) => ({ ...one, result })));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { probes, skipped };
}

/** Why a server is not probed; undefined if it is. */
function whyNot(
  { key }: ServiceWithServers,
  server: ServerEntry,
): string | undefined {
  if (!("firewallMark" in key) && key.protocol !== TCP) return "not TCP";
  if (server.key.port === 0) return "its port is that of the request";
  return undefined;
}

/** What a probe proves, as evidence. */
export function probeEvidence({ server, result }: Probe): string {
  const { address, port } = server.key;
  const what = {
    accepted: "was accepted",
    refused: "was refused",
    "no answer": `got no answer in ${LONGEST_MILLISECONDS / 1000} s`,
    unreachable: "could not be sent",
  }[result];
  const text = `a connection of the director to ${formatEndpoint(address, port)} ${what}`;
  return server.settings.forwarding === MASQUERADING
    ? text
    : `${text}; requests go to the virtual address there, which this does not try`;
}
