import { DIRECTOR, type HostPlan, type NetworkPlan } from "../lab/network.js";

/**
 * For NAT: the director is the only route of the real servers.
 *
 *     client 192.0.2.10 ── front ── 192.0.2.1 director 198.51.100.1 ── back ── 198.51.100.11 real1 …
 *
 * The client also has all addresses from 192.0.2.128 on.
 */
export const BEHIND_DIRECTOR: NetworkPlan = {
  client: {
    addresses: { front: ["192.0.2.10/24", "2001:db8:1::10/64"] },
    routes: ["local 192.0.2.128/25 dev lo"],
  },
  [DIRECTOR]: {
    addresses: {
      front: [
        "192.0.2.1/24",
        "192.0.2.100/32",
        "2001:db8:1::1/64",
        "2001:db8:1::100/128",
      ],
      back: ["198.51.100.1/24", "2001:db8:2::1/64"],
    },
    sysctls: { "net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1 },
  },
  real1: behindDirector(11),
  real2: behindDirector(12),
  real3: behindDirector(13),
};

function behindDirector(number: number): HostPlan {
  return {
    addresses: {
      back: [`198.51.100.${number}/24`, `2001:db8:2::${number}/64`],
    },
    routes: ["default via 198.51.100.1", "2001:db8:1::/64 via 2001:db8:2::1"],
  };
}

/** More addresses of that client. */
export function otherClients(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `192.0.2.${128 + i}`);
}

/**
 * For direct routing: all hosts are in one network, and the real servers have the virtual address,
 * too.
 *
 *     client 203.0.113.10, director 203.0.113.1, backup 203.0.113.2, real1 203.0.113.11, real2 203.0.113.12
 */
export const ONE_NETWORK: NetworkPlan = {
  client: { addresses: { lan: ["203.0.113.10/24"] } },
  [DIRECTOR]: { addresses: { lan: ["203.0.113.1/24", "203.0.113.100/32"] } },
  backup: { addresses: { lan: ["203.0.113.2/24"] } },
  real1: withVirtualAddress(11),
  real2: withVirtualAddress(12),
};

function withVirtualAddress(number: number): HostPlan {
  return {
    addresses: { lan: [`203.0.113.${number}/24`], lo: ["203.0.113.100/32"] },
    // It must not be announced: in the network, the virtual address belongs to the director.
    sysctls: {
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.ipv4.conf.all.arp_announce": 2,
    },
  };
}

/**
 * For tunneling: the real servers are behind a router.
 *
 *     client 192.0.2.10, director 192.0.2.1 ── front ── 192.0.2.2 router 198.51.100.1 ── far ── 198.51.100.11 real1 …
 */
export const FAR_AWAY: NetworkPlan = {
  client: { addresses: { front: ["192.0.2.10/24"] } },
  [DIRECTOR]: {
    addresses: { front: ["192.0.2.1/24", "192.0.2.101/32"] },
    routes: ["198.51.100.0/24 via 192.0.2.2"],
  },
  router: {
    addresses: { front: ["192.0.2.2/24"], far: ["198.51.100.1/24"] },
    sysctls: { "net.ipv4.ip_forward": 1, ...anySource("front", "far") },
  },
  real1: farAway(11),
  real2: farAway(12),
  real3: farAway(13),
};

function farAway(number: number): HostPlan {
  return {
    addresses: { far: [`198.51.100.${number}/24`], lo: ["192.0.2.101/32"] },
    routes: ["default via 198.51.100.1"],
    sysctls: anySource("default", "far"),
  };
}

/**
 * Makes hosts accept packets that arrive on another interface than replies would leave by: from the
 * tunnel.
 */
function anySource(...devices: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    ["all", ...devices].map((device) => [
      `net.ipv4.conf.${device}.rp_filter`,
      0,
    ]),
  );
}

/** A real server in the client's network that does not know the director. */
export const BESIDE_CLIENT: NetworkPlan = {
  client: { addresses: { lan: ["203.0.113.10/24"] } },
  [DIRECTOR]: {
    addresses: { lan: ["203.0.113.1/24", "203.0.113.101/32"] },
    sysctls: { "net.ipv4.ip_forward": 1 },
  },
  real1: { addresses: { lan: ["203.0.113.11/24"] } },
};

/** The virtual address of DIRECT_BEHIND_ROUTER */
export const ROUTED_VIP = "203.0.113.100";

/** Direct routing: a client behind a router, and all others in one network. */
export const DIRECT_BEHIND_ROUTER: NetworkPlan = {
  client: {
    addresses: { front: ["192.0.2.10/24"] },
    routes: ["default via 192.0.2.1"],
  },
  router: {
    addresses: { front: ["192.0.2.1/24"], lan: ["203.0.113.254/24"] },
    sysctls: { "net.ipv4.ip_forward": 1 },
  },
  [DIRECTOR]: {
    addresses: { lan: ["203.0.113.1/24", `${ROUTED_VIP}/32`] },
    routes: ["default via 203.0.113.254"],
  },
  real1: directServer(11),
  real2: directServer(12),
};

function directServer(number: number) {
  return {
    addresses: { lan: [`203.0.113.${number}/24`], lo: [`${ROUTED_VIP}/32`] },
    routes: ["default via 203.0.113.254"],
    sysctls: {
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.ipv4.conf.all.arp_announce": 2,
    },
  };
}
