import type { Kind } from "../finding.js";
import { CONNECTION_KINDS } from "./kinds/connections.js";
import { MACHINE_KINDS } from "./kinds/machine.js";
import { NETWORK_KINDS } from "./kinds/network.js";
import { SYNC_KINDS } from "./kinds/sync.js";
import { TABLE_KINDS } from "./kinds/table.js";
import { TRAFFIC_KINDS } from "./kinds/traffic.js";
import { WAY_KINDS } from "./kinds/ways.js";

/** What can be found on a director. */
export const DIRECTOR_KINDS = [
  ...MACHINE_KINDS,
  ...SYNC_KINDS,
  ...NETWORK_KINDS,
  ...WAY_KINDS,
  ...TRAFFIC_KINDS,
  ...CONNECTION_KINDS,
  ...TABLE_KINDS,
] as const satisfies readonly Kind[];
