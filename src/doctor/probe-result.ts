import type { ServerEntry, ServiceWithServers } from "../ipvs/model.js";
import type { ProbeResult } from "../system/tcp-probe.js";

/** What became of a connection of the director to a real server. */
export interface Probe {
  readonly service: ServiceWithServers;
  readonly server: ServerEntry;
  readonly result: ProbeResult;
}
