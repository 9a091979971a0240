import type { Kind } from "../finding.js";

/** Findings about the table by itself. */
export const TABLE_KINDS = [
  {
    id: "no-servers",
    severity: "error",
    title: "a service has no real server",
    why: "IPVS takes the packets of a virtual service before anything else on the machine does, and without a real server it has nobody to give them to: it refuses them (ICMP port unreachable), so clients see their connections refused, even if something on the director itself listens at that port.",
    looked: "The table: services without any real server.",
    cure: "Add a real server, or remove the service.",
    sysctls: [],
  },
  {
    id: "all-drained",
    severity: "error",
    title: "every real server of a service has weight 0",
    why: "A real server with weight 0 gets no new connections: that is how one is drained. When all of a service's are, every new connection is refused; only those that are established go on, and clients that persistence binds to a server.",
    looked: "The table: services all of whose real servers have weight 0.",
    cure: "Give a real server that works a weight.",
    sysctls: [],
  },
  {
    id: "all-overloaded",
    severity: "error",
    title: "every real server of a service is at its upper threshold",
    why: "A real server that has as many connections as its upper threshold says (established or not) gets no new ones until they are fewer than the lower threshold. When all of a service's that are not drained are, every new connection is refused.",
    looked:
      "The table: services without a server that takes connections, of which at least one has as many connections, active and inactive, as its upper threshold says.",
    cure: "Add real servers, or raise the threshold if the server can bear more. Connections that have ended count until they are forgotten: look for clients that leave many of them behind.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
