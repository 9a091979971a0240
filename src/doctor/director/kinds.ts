import type { Kind } from "../finding.js";
import { CONNECTION_KINDS } from "./connection-kinds.js";
import { MACHINE_KINDS } from "./machine-kinds.js";
import { NETWORK_KINDS } from "./network-kinds.js";
import { SYNC_KINDS } from "./sync-kinds.js";
import { TABLE_KINDS } from "./table-kinds.js";
import { TRAFFIC_KINDS } from "./traffic-kinds.js";
import { WAY_KINDS } from "./way-kinds.js";

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
