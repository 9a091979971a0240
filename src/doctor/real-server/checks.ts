import type { Check } from "../check.js";
import { addressTwice } from "./address-twice.js";
import { arp } from "./arp.js";
import { serverFirewall } from "./firewall.js";
import { doubtful } from "./doubtful-rules.js";
import { directWayBack } from "./direct-way-back.js";
import { listening } from "./listening.js";
import { nearClients } from "./near-clients.js";
import { serverNeighborDiscovery } from "./neighbor-discovery.js";
import { ownTable } from "./own-table.js";
import { ownSource } from "./own-source.js";
import { backSizes } from "./path-sizes.js";
import { rpFilter } from "./rp-filter.js";
import { tunnel } from "./tunnel.js";
import { unaccepted } from "./unaccepted.js";
import { virtualAddress } from "./virtual-address.js";
import { wayBack } from "./way-back.js";

/** The checks of a real server. */
export const REAL_SERVER_CHECKS: readonly Check[] = [
  ownTable,
  virtualAddress,
  addressTwice,
  arp,
  serverNeighborDiscovery,
  serverFirewall,
  doubtful,
  listening,
  unaccepted,
  tunnel,
  ownSource,
  rpFilter,
  wayBack,
  directWayBack,
  nearClients,
  backSizes,
];
