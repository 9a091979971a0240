import type { Check } from "../check.js";
import { answerRules } from "./ways/answer-rules.js";
import { answerWays } from "./ways/answer-routes.js";
import { capacity } from "./table/capacity.js";
import { clientsBeside } from "./nat/beside-clients.js";
import { defenses } from "./machine/defenses.js";
import { deletedServices } from "./connections/deleted-services.js";
import { drainedServers } from "./servers/drained.js";
import { directorFirewall } from "./firewall/stopped-traffic.js";
import { fixedNeighbors } from "./ways/fixed-neighbors.js";
import { idleConnections, limits } from "./machine/limits.js";
import { largeAnswers } from "./firewall/large-answers.js";
import { ftpHelper } from "./table/ftp-helper.js";
import { ftpMarks } from "./table/ftp-marks.js";
import { ftpPersistence } from "./table/ftp-persistence.js";
import { hangingServers } from "./connections/hanging-servers.js";
import { localServers } from "./table/local-servers.js";
import { unmatchedMarks } from "./marks/marks.js";
import { marks } from "./marks/unset.js";
import { limitedSources } from "./firewall/source-limits.js";
import { localMarks } from "./marks/not-local.js";
import { onePacketAnswers } from "./nat/one-packet-answers.js";
import { overwrittenMarks } from "./marks/overwritten.js";
import { redirects } from "./nat/redirects.js";
import { snatAddresses } from "./nat/snat-address.js";
import { reassembly } from "./machine/reassembly.js";
import { refusals } from "./servers/refusals.js";
import { forwarding, interfaceForwarding } from "./machine/forwarding.js";
import { pathSizes } from "./servers/path-sizes.js";
import { neighborDiscovery } from "./firewall/neighbor-discovery.js";
import { mergedPorts } from "./table/merged-ports.js";
import { modules } from "./machine/modules.js";
import { activeBackups, backups } from "./sync/backups.js";
import { anyAddress, reach, virtualAddresses } from "./reach/reach.js";
import { collidingAddresses } from "./reach/vip-of-server.js";
import { fragments, hashing, orphans, reuse } from "./machine/settings.js";
import { schedulerPins } from "./table/scheduler-pins.js";
import { separatePersistence } from "./table/separate-persistence.js";
import { syncIds, syncLengths, syncPlaces } from "./sync/daemons.js";
import { syncFirewall } from "./sync/firewall.js";
import { strangers } from "./ways/arp-conflicts.js";
import { silentAddresses } from "./ways/arp-silence.js";
import { emptiness, persistence, weights } from "./table/table.js";
import { shadowedServices } from "./table/shadowed-services.js";
import { strayRoutes } from "./ways/stray-routes.js";
import { timeoutLengths } from "./machine/timeouts.js";
import { tooBigMessages } from "./firewall/too-big-messages.js";
import { tunnelSource } from "./ways/tunnel-source.js";
import { udpPinned } from "./table/udp-pinned.js";
import { unanswered } from "./connections/unanswered.js";
import { unwatchedBonds } from "./reach/unwatched-bonds.js";
import { unreached } from "./connections/unreached.js";
import { conntrack, unseenSnat } from "./nat/unseen-snat.js";

/** The checks of a director. */
export const DIRECTOR_CHECKS: readonly Check[] = [
  modules,
  forwarding,
  interfaceForwarding,
  collidingAddresses,
  virtualAddresses,
  strangers,
  silentAddresses,
  neighborDiscovery,
  reach,
  unwatchedBonds,
  answerWays,
  answerRules,
  fixedNeighbors,
  strayRoutes,
  anyAddress,
  directorFirewall,
  limitedSources,
  tooBigMessages,
  largeAnswers,
  pathSizes,
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
  udpPinned,
  onePacketAnswers,
  localServers,
  persistence,
  separatePersistence,
  ftpHelper,
  ftpPersistence,
  ftpMarks,
];
