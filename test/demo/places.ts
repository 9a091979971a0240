import { DIRECTOR, type HostPlan, type NetworkPlan } from "../lab/network.js";

/** A virtual service of the demo, and the path of its requests. */
export interface Service {
  readonly name: string;
  /** Address and port, in the program's format. */
  readonly address: string;
  /** The network in which the client reaches it, and the client's address there. */
  readonly network: string;
  readonly client: string;
  /** Whether the replies pass the director. */
  readonly answersPassDirector: boolean;
  readonly servers: readonly RealServer[];
}

export interface RealServer {
  readonly host: string;
  /** The server's address in the table. */
  readonly address: string;
  /** The address at which requests arrive, as the server sees it. */
  readonly arrivesAt: string;
  /** Connections per round of the scheduler. */
  readonly share: number;
}

export const NAT: Service = {
  name: "NAT, wrr",
  address: "192.0.2.100:80",
  network: "front",
  client: "192.0.2.10",
  answersPassDirector: true,
  servers: [
    {
      host: "real1",
      address: "198.51.100.11:8080",
      arrivesAt: "198.51.100.11:8080",
      share: 2,
    },
    {
      host: "real2",
      address: "198.51.100.12:8080",
      arrivesAt: "198.51.100.12:8080",
      share: 1,
    },
  ],
};

export const DIRECT_ROUTING: Service = {
  name: "direct routing, rr",
  address: "198.51.100.100:80",
  network: "lan",
  client: "198.51.100.10",
  answersPassDirector: false,
  servers: [
    {
      host: "real1",
      address: "198.51.100.11:80",
      arrivesAt: "198.51.100.100:80",
      share: 1,
    },
    {
      host: "real2",
      address: "198.51.100.12:80",
      arrivesAt: "198.51.100.100:80",
      share: 1,
    },
  ],
};

/** The network, as a picture for the reader. */
export const DRAWING = `
  network front (192.0.2.0/24)
    client      192.0.2.10
    director    192.0.2.1, and 192.0.2.100: the service by NAT
  network lan (198.51.100.0/24)
    client      198.51.100.10
    director    198.51.100.1, and 198.51.100.100: the service by direct routing
    real1       198.51.100.11, which reaches front by the director
    real2       198.51.100.12, which reaches front by the director`;

/** The ports at which each real server runs an HTTP server. */
export const PORTS = [80, 8080];

/**
 * The client is in both networks. It reaches the first service in `front`; the real servers have no
 * route to that network except through the director. It reaches the second service in `lan`, where
 * they reply directly.
 */
export const PLACES: NetworkPlan = {
  client: {
    addresses: { front: ["192.0.2.10/24"], lan: ["198.51.100.10/24"] },
  },
  [DIRECTOR]: {
    addresses: {
      front: ["192.0.2.1/24", "192.0.2.100/32"],
      lan: ["198.51.100.1/24", "198.51.100.100/32"],
    },
    sysctls: { "net.ipv4.ip_forward": 1 },
  },
  real1: realHost("198.51.100.11"),
  real2: realHost("198.51.100.12"),
};

function realHost(address: string): HostPlan {
  return {
    // With direct routing a real server has the virtual address, too, but must not announce it: in
    // the
    // network it belongs to the director.
    addresses: { lan: [`${address}/24`], lo: ["198.51.100.100/32"] },
    sysctls: {
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.ipv4.conf.all.arp_announce": 2,
    },
    routes: ["default via 198.51.100.1"],
  };
}
