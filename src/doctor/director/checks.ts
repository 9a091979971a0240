import type { Check } from "../check.js";
import { capacity } from "./capacity.js";
import { forwarding } from "./forwarding.js";

/** What is looked at on a director. */
export const DIRECTOR_CHECKS: readonly Check[] = [forwarding, capacity];
