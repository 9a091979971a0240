import type { Check } from "../check.js";
import { answerWays } from "./answer-ways.js";
import { capacity } from "./capacity.js";
import { clientsBeside } from "./beside-clients.js";
import { defenses } from "./defenses.js";
import { deletedServices } from "./deleted-services.js";
import { drainedServers } from "./drained.js";
import { directorFirewall } from "./firewall.js";
import { fixedNeighbors } from "./fixed-neighbors.js";
import { idleConnections, limits } from "./limits.js";
import { largeAnswers } from "./large-answers.js";
import { hangingServers } from "./hanging-servers.js";
import { localServers } from "./local-servers.js";
import { marks, unmatchedMarks } from "./marks.js";
import { localMarks } from "./local-marks.js";
import { onePacketAnswers } from "./one-packet-answers.js";
import { overwrittenMarks } from "./overwritten-marks.js";
import { redirects } from "./redirects.js";
import { snatAddresses } from "./snat-address.js";
import { reassembly } from "./reassembly.js";
import { refusals } from "./refusals.js";
import { forwarding, interfaceForwarding } from "./forwarding.js";
import { neighborDiscovery } from "./neighbor-discovery.js";
import { mergedPorts } from "./merged-ports.js";
import { modules } from "./modules.js";
import { activeBackups, backups } from "./peers.js";
import { anyAddress, reach, virtualAddresses } from "./reach.js";
import { fragments, hashing, orphans, reuse } from "./settings.js";
import { schedulerPins } from "./scheduler-pins.js";
import { separatePersistence } from "./separate-persistence.js";
import { syncIds, syncLengths, syncPlaces } from "./sync.js";
import { syncFirewall } from "./sync-firewall.js";
import { strangers } from "./arp-conflicts.js";
import { silentAddresses } from "./arp-silence.js";
import { emptiness, persistence, weights } from "./table.js";
import { shadowedServices } from "./shadowed-services.js";
import { strayRoutes } from "./stray-routes.js";
import { timeoutLengths } from "./timeouts.js";
import { tooBigMessages } from "./too-big-messages.js";
import { tunnelSource } from "./tunnel-source.js";
import { unanswered } from "./unanswered.js";
import { unwatchedBonds } from "./unwatched-bonds.js";
import { unreached } from "./unreached.js";
import { conntrack, unseenSnat } from "./unseen-snat.js";

/** The checks of a director. */
export const DIRECTOR_CHECKS: readonly Check[] = [
  modules,
  forwarding,
  interfaceForwarding,
  virtualAddresses,
  strangers,
  silentAddresses,
  neighborDiscovery,
  reach,
  unwatchedBonds,
  answerWays,
  fixedNeighbors,
  strayRoutes,
  anyAddress,
  directorFirewall,
  tooBigMessages,
  largeAnswers,
  marks,
  unmatchedMarks,
  overwrittenMarks,
  localMarks,
  shadowedServices,
  mergedPorts,
  activeBackups,
  refusals,
  hangingServers,
  clientsBeside,
  snatAddresses,
  redirects,
  drainedServers,
  idleConnections,
  timeoutLengths,
  limits,
  tunnelSource,
  unseenSnat,
  unanswered,
  orphans,
  deletedServices,
  unreached,
  reuse,
  conntrack,
  defenses,
  fragments,
  reassembly,
  hashing,
  backups,
  syncIds,
  syncFirewall,
  syncPlaces,
  syncLengths,
  emptiness,
  capacity,
  weights,
  schedulerPins,
  onePacketAnswers,
  localServers,
  persistence,
  separatePersistence,
];
