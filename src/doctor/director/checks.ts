import type { Check } from "../check.js";
import { capacity } from "./capacity.js";
import { forwarding } from "./forwarding.js";
import { reach, virtualAddresses } from "./reach.js";
import { strangers } from "./strangers.js";
import { unanswered } from "./unanswered.js";

/** What is looked at on a director. */
export const DIRECTOR_CHECKS: readonly Check[] = [
  forwarding,
  virtualAddresses,
  strangers,
  reach,
  unanswered,
  capacity,
];
