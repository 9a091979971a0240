import type { Kind } from "../finding.js";
import { MACHINE_KINDS } from "./machine-kinds.js";
import { TABLE_KINDS } from "./table-kinds.js";

/** What can be found on a director. */
export const DIRECTOR_KINDS = [
  ...MACHINE_KINDS,
  ...TABLE_KINDS,
] as const satisfies readonly Kind[];
