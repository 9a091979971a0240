import type { ServerEntry, ServiceWithServers } from "../ipvs/model.js";
import type { ProbeResult } from "../system/tcp-probe.js";
import type { UdpProbeResult } from "../system/udp-probe.js";

/** What became of a connection of the director to a real server, or of an empty datagram. */
export interface Probe {
  readonly service: ServiceWithServers;
  readonly server: ServerEntry;
  readonly result: ProbeResult | UdpProbeResult;
}
