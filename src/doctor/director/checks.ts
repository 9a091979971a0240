import type { Check } from "../check.js";
import { capacity } from "./capacity.js";
import { forwarding } from "./forwarding.js";
import { modules } from "./modules.js";
import { backups, syncIds } from "./peers.js";
import { reach, virtualAddresses } from "./reach.js";
import { conntrack, fragments, hashing, orphans, reuse } from "./settings.js";
import { strangers } from "./arp-conflicts.js";
import { emptiness, persistence, weights } from "./table.js";
import { unanswered } from "./unanswered.js";

/** What is looked at on a director. */
export const DIRECTOR_CHECKS: readonly Check[] = [
  modules,
  forwarding,
  virtualAddresses,
  strangers,
  reach,
  unanswered,
  orphans,
  reuse,
  conntrack,
  fragments,
  hashing,
  backups,
  syncIds,
  emptiness,
  capacity,
  weights,
  persistence,
];
