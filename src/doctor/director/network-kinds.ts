import type { Kind } from "../finding.js";

/** Findings about addresses, routes and the stations nearby. */
export const NETWORK_KINDS = [
  {
    id: "vip-not-local",
    severity: "error",
    title: "a virtual address is not this machine's own",
    why: "IPVS looks at packets that are for the machine itself. A packet to an address that is not local never comes by it: nobody in the network answers for the address, or the packet is forwarded or dropped like any other. Clients see connections time out.",
    looked:
      "For the address of each service: whether the kernel's route to it is of type local, which an address of an interface makes, and so does `ip route add local`. For a service by firewall mark the table does not tell which addresses it is for, so that is not looked at; nor is it on a machine whose sync daemon is backup alone, for there the address is another's.",
    cure: "Give an interface the address. Where an address moves between directors (keepalived, VRRP), see first which of them is to have it now.",
    sysctls: [],
  },
  {
    id: "vip-duplicate",
    severity: "error",
    title: "another station had an IPv6 virtual address when it was added",
    why: "Before the kernel uses a new IPv6 address it asks whether somebody has it (duplicate address detection). If so, the address stands at the interface, and is of no use: the other station gets the packets.",
    looked:
      "Whether the kernel has marked the address of a service as a duplicate (dadfailed), as `ip address` shows it. Not on a machine whose sync daemon is backup alone.",
    cure: "Take the address from the other station (a real server must have it on lo), then add it here anew: the kernel asks but once.",
    sysctls: [],
  },
  {
    id: "vip-answered-elsewhere",
    severity: "error",
    title: "another station answers for a virtual address, too",
    why: "Who asks the network (by ARP or neighbor discovery) where the virtual address is takes whoever answers. If a real server answers as well, some clients, or the router and with it all of them, talk to that server alone, past the director: load is not balanced, weights and drains do nothing, and what works changes with every cache that runs out. With direct routing and tunneling real servers have the address, and must keep silent about it; another director may have kept it.",
    looked:
      "The network was asked for each virtual address on the interfaces that have it or are in its network, as the kernel asks for any neighbor, and another hardware address than this machine's answered. One that belongs to a real server names it. It cannot be asked for an IPv6 address that the very interface has, nor on an interface whose only IPv4 address it is. On a machine whose sync daemon is backup alone the address is another's, so nothing is said.",
    cure: "On a real server: answer only for addresses of the interface that was asked, and never announce others (arp_ignore 1, arp_announce 2), with the virtual address on lo. Another station must give the address up. Then have clients and routers forget what they learnt.",
    sysctls: [
      "net.ipv4.conf.INTERFACE.arp_ignore",
      "net.ipv4.conf.INTERFACE.arp_announce",
    ],
  },
  {
    id: "server-unroutable",
    severity: "error",
    title: "there is no route to a real server",
    why: "The scheduler does not know whether a real server can be reached: it gives it its share of the connections, and those of a server to which there is no route fail.",
    looked:
      "For each real server with a weight: the kernel's route to it. There is none, or one of type unreachable, prohibit or blackhole.",
    cure: "Add the route, or correct the server's address. Until then take the server out: with weight 0 it gets no new connections.",
    sysctls: [],
  },
  {
    id: "server-silent",
    severity: "error",
    title: "a real server, or the router to it, does not answer",
    why: "The director has to know the hardware address of whom it hands a packet to. If nobody answers when it asks for that, the machine is off, its cable is out, or the address is wrong. The scheduler goes on giving the server its share of the connections, which fail.",
    looked:
      "For each real server with a weight: the next station on the way to it was asked for, as the kernel asks for any neighbor, for two seconds. Of hundreds some are not asked for, and what the kernel knows of them has to do.",
    cure: "See to the server. Until then take it out: with weight 0 it gets no new connections. A health checker such as keepalived does that by itself.",
    sysctls: [],
  },
  {
    id: "direct-via-router",
    severity: "error",
    title: "direct routing to a real server behind a router",
    why: "Direct routing (-g) hands the packet as it is, still addressed to the virtual address, to the next station on the way to the real server. That must be the server itself, in a network that is directly attached. A router in between sees a packet to the virtual address, and sends it where it sends all such: back to the director.",
    looked:
      "For each real server with -g and a weight: whether the kernel's route to it goes over a gateway.",
    cure: "Tunnel to it (-i): then the packet travels within one that is addressed to the real server, which has to take it out. `ipvsadm doctor --real-server` on it examines that. Or give the director an interface in the server's network.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
