import type { HostPlan, NetworkPlan } from "../lab/network.js";

/** What stands before the first command of a guide. */
export interface GuideNetwork {
  readonly plan: NetworkPlan;
  /** What listens on each machine: `8080`, `53/dns`, `5060/udp`. */
  readonly servers: Readonly<Record<string, readonly string[]>>;
  /** The address of the test's own machine at which etcd listens, on port 2379 */
  readonly etcd?: string;
}

/** By the name of the guide. */
export const GUIDE_NETWORKS: Readonly<Record<string, GuideNetwork>> = {
  nat: {
    plan: {
      client: { addresses: { front: ["192.0.2.10/24"] } },
      balancer: {
        addresses: { front: ["192.0.2.1/24"], back: ["198.51.100.1/24"] },
      },
      server1: { addresses: { back: ["198.51.100.11/24"] } },
      server2: { addresses: { back: ["198.51.100.12/24"] } },
    },
    servers: { client: ["80"], server1: ["8080"], server2: ["8080"] },
  },
  "direct-routing": {
    plan: {
      client: { addresses: { lan: ["203.0.113.10/24"] } },
      balancer: { addresses: { lan: ["203.0.113.1/24"] } },
      server1: { addresses: { lan: ["203.0.113.11/24"] } },
      server2: { addresses: { lan: ["203.0.113.12/24"] } },
    },
    servers: { server1: ["80"], server2: ["80"] },
  },
  tunneling: {
    plan: {
      client: { addresses: { front: ["192.0.2.10/24"] } },
      balancer: {
        addresses: { front: ["192.0.2.1/24"] },
        routes: ["default via 192.0.2.2"],
      },
      router: {
        addresses: { front: ["192.0.2.2/24"], far: ["198.51.100.1/24"] },
        sysctls: { "net.ipv4.ip_forward": 1 },
      },
      server1: far("198.51.100.11"),
      server2: far("198.51.100.12"),
      server3: far("198.51.100.13"),
    },
    servers: { server1: ["80"], server2: ["80"], server3: ["80"] },
  },
  "full-nat": {
    plan: {
      client: { addresses: { lan: ["203.0.113.10/24"] } },
      balancer: { addresses: { lan: ["203.0.113.1/24"] } },
      server1: { addresses: { lan: ["203.0.113.11/24"] } },
      router: {
        addresses: { lan: ["203.0.113.254/24"], far: ["198.51.100.1/24"] },
        sysctls: { "net.ipv4.ip_forward": 1 },
      },
      server2: far("198.51.100.12"),
    },
    servers: { server1: ["8080"], server2: ["8080"] },
  },
  "firewall-marks": {
    plan: {
      client: {
        addresses: { front: ["192.0.2.10/24"], lan: ["203.0.113.10/24"] },
      },
      balancer: {
        addresses: { front: ["192.0.2.1/24"], back: ["198.51.100.1/24"] },
        sysctls: { "net.ipv4.ip_forward": 1 },
      },
      server1: behind("198.51.100.11"),
      server2: behind("198.51.100.12"),
      director1: { addresses: { lan: ["203.0.113.1/24"] } },
      director2: { addresses: { lan: ["203.0.113.2/24"] } },
    },
    servers: {
      server1: ["80", "443"],
      server2: ["80", "443"],
      director1: ["80"],
      director2: ["80"],
    },
  },
  persistence: {
    plan: {
      client: { addresses: { front: ["192.0.2.10/24", "192.0.2.20/24"] } },
      balancer: {
        addresses: {
          front: ["192.0.2.1/24", "192.0.2.100/32"],
          back: ["198.51.100.1/24"],
        },
        sysctls: { "net.ipv4.ip_forward": 1 },
      },
      server1: behind("198.51.100.11"),
      server2: behind("198.51.100.12"),
    },
    servers: {
      server1: ["8080", "5060/udp"],
      server2: ["8080", "5060/udp"],
    },
  },
  "sync-daemons": {
    plan: {
      client: { addresses: { lan: ["203.0.113.10/24"] } },
      director1: { addresses: { lan: ["203.0.113.1/24"] } },
      director2: { addresses: { lan: ["203.0.113.2/24"] } },
      server1: withVirtualAddress("203.0.113.11"),
      server2: withVirtualAddress("203.0.113.12"),
    },
    servers: { server1: ["80"], server2: ["80"] },
  },
  "many-directors": {
    plan: {
      client: { addresses: { lan: ["203.0.113.10/24"] } },
      operator: { addresses: { lan: ["203.0.113.20/24"] } },
      // The namespace of the test itself, in which etcd runs.
      director: { addresses: { lan: ["203.0.113.200/24"] } },
      director1: fleetDirector("203.0.113.1"),
      director2: fleetDirector("203.0.113.2"),
      server1: withVirtualAddress("203.0.113.11"),
      server2: withVirtualAddress("203.0.113.12"),
    },
    servers: { server1: ["80"], server2: ["80"] },
    etcd: "203.0.113.200",
  },
  ipv6: {
    plan: {
      client: {
        addresses: {
          front: ["2001:db8:1::10/64"],
          lan: ["2001:db8:3::10/64"],
        },
      },
      balancer: {
        addresses: {
          front: ["2001:db8:1::1/64"],
          back: ["2001:db8:2::1/64"],
          lan: ["2001:db8:3::1/64"],
        },
      },
      server1: { addresses: { back: ["2001:db8:2::11/64"] } },
      server2: { addresses: { back: ["2001:db8:2::12/64"] } },
      server3: { addresses: { lan: ["2001:db8:3::13/64"] } },
      server4: { addresses: { lan: ["2001:db8:3::14/64"] } },
    },
    servers: {
      server1: ["8080"],
      server2: ["8080"],
      server3: ["80"],
      server4: ["80"],
    },
  },
  "udp-and-dns": {
    plan: {
      client: { addresses: { lan: ["203.0.113.10/24"] } },
      balancer: { addresses: { lan: ["203.0.113.1/24", "203.0.113.100/32"] } },
      server1: withVirtualAddress("203.0.113.11"),
      server2: withVirtualAddress("203.0.113.12"),
    },
    servers: {
      server1: ["203.0.113.100:53/dns"],
      server2: ["203.0.113.100:53/dns"],
    },
  },
  "containers-and-ci": {
    plan: {
      balancer: { addresses: { front: ["192.0.2.1/24"] } },
      container: { addresses: { front: ["192.0.2.2/24"] } },
    },
    servers: {},
  },
};

/** A real server for direct routing. */
function withVirtualAddress(address: string): HostPlan {
  return {
    addresses: { lan: [`${address}/24`], lo: ["203.0.113.100/32"] },
    sysctls: {
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.ipv4.conf.all.arp_announce": 2,
    },
  };
}

/** A director with the virtual address, which answers ARP only for its own one. */
function fleetDirector(address: string): HostPlan {
  return {
    addresses: { lan: [`${address}/24`], lo: ["203.0.113.100/32"] },
    sysctls: { "net.ipv4.ip_forward": 1, "net.ipv4.conf.all.arp_ignore": 1 },
  };
}

/** A machine behind the router. */
function far(address: string): HostPlan {
  return {
    addresses: { far: [`${address}/24`] },
    routes: ["default via 198.51.100.1"],
  };
}

/** A machine behind the director. */
function behind(address: string): HostPlan {
  return {
    addresses: { back: [`${address}/24`] },
    routes: ["default via 198.51.100.1"],
  };
}
