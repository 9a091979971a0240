import type { Kind } from "../../finding.js";

const SIZES_LOOKED =
  "With --probe: an empty datagram and one of the full size go to the own address of each real server with a weight, to UDP port 33434, where no program listens: the server answers with ICMP port unreachable. The full size is the MTU of the route or the interface; it includes the header of a tunnel. These datagrams must not be fragmented on the way. It is a finding if the large ones get no answer and the small ones do, three times in turn. Then smaller sizes are tried, to find the largest that gets through. If a router on the way sends a message that names a smaller size (ICMP fragmentation needed), the kernel sends smaller packets from then on, and nothing is reported. At most 256 servers are tried. Servers that do not answer small datagrams, mostly because of a firewall, are listed under Not checked. So are packets of more than 1500 bytes without --probe.";

/** Findings about the ways of requests and answers through this machine. */
export const WAY_KINDS = [
  {
    id: "answers-unroutable",
    severity: "error",
    title: "the director has no route for the answers to clients",
    why: "Answers of masqueraded servers come back through the director. The kernel looks up their route twice: with the real server as the source when they come in, and with the virtual address as the source after IPVS has put it in. If one of them leads nowhere, the kernel drops the answer. Requests come in and reach the real servers, and clients see connections time out.",
    looked:
      "Clients of masqueraded servers with connections that wait in SYN_RECV, or with UDP: the kernel's route for such an answer, with both sources (the second not if net.ipv4.vs.snat_reroute is 0). There is none, or it is of type unreachable, prohibit or blackhole, by the main table or by a routing rule. It is only likely if the route or rule is for some clients only, who are perhaps banned, if a routing rule looks at firewall marks, which answers may have, and with UDP, which does not tell whether a client waits. With IPv6 and no default route: whether an interface, other than those to the real servers, forwards and has accept_ra 1. The kernel then ignores router advertisements there.",
    cure: "Correct the routes or the routing rules of this machine. `ip rule` and `ip route show table all` print them. With IPv6, a machine that forwards takes its default route from router advertisements only if accept_ra is 2. The real servers need no change.",
    sysctls: ["net.ipv4.vs.snat_reroute", "net.ipv6.conf.INTERFACE.accept_ra"],
  },
  {
    id: "answers-elsewhere",
    severity: "error",
    title: "a routing rule sends answers to clients by another interface",
    why: "Routing rules choose the table in which the kernel looks for a route. A rule ahead of the main table sends the answers of masqueraded servers by another interface than the one by which requests come in: into a VPN (wg-quick adds such a rule if AllowedIPs is 0.0.0.0/0 or ::/0), to another provider, or into a VRF. There they are dropped, or they reach the client from an unexpected place. Clients repeat their requests, and the servers answer in vain.",
    looked:
      "Masqueraded servers whose connections all wait in SYN_RECV, although the counters prove that packets come back from them: the kernel's route for answers from the virtual address (from the real server if net.ipv4.vs.snat_reroute is 0) to the clients that wait. It is reported if another table than the main one has the route, the main table leads to the client by another interface, and that interface is in the network of the virtual address, or none is. A rule that leads answers into the network of their virtual address, as on a machine with several providers, is not reported. It is only likely: the director does not see by which interface requests come in.",
    cure: "Add a rule for the answers ahead of that rule, as printed, and keep it in the configuration of the network. For wg-quick: `PostUp = ip rule add …` and `PreDown = ip rule del …`, or AllowedIPs with the networks behind the VPN only. If requests do come in by that interface, follow a client: `ipvsadm doctor --client CLIENT`.",
    sysctls: ["net.ipv4.vs.snat_reroute"],
  },
  {
    id: "server-network-down",
    severity: "error",
    title: "the interface in the network of a real server is down",
    why: "If an interface is down, the route of its network is gone. Packets to the real servers there follow another route, mostly the default route, to a router that cannot reach them or drops them. The scheduler still gives these servers their share of the connections.",
    looked:
      "For each real server with a weight: an interface that is down and has an address in the network of the server, while no other interface has one, and the server has no route or a route to a router. It is only likely if there is a route to a router. A masqueraded server that answers now, and one that a route attaches to another interface, are not reported.",
    cure: "Set the interface up, unless somebody set it down on purpose. Routes of its own that went with it have to be added again: restart what configures the network, or add them by hand.",
    sysctls: [],
  },
  {
    id: "client-router-silent",
    severity: "error",
    title: "the router to clients does not answer the director",
    why: "Answers of masqueraded servers come back through the director, which sends them to the router of its route to the client. If no machine answers at the router's address, the answers are lost. Requests come in all the same, by the router that knows the way.",
    looked:
      "Masqueraded servers whose connections all wait in SYN_RECV: doctor asks for the routers to the clients that wait, by ARP or neighbor discovery.",
    cure: "Correct the route: `ip route replace default via ROUTER`, or the route to the clients, with the address of the router from which requests come, and keep it in the configuration of the network. If the address is right, check that router.",
    sysctls: [],
  },
  {
    id: "route-elsewhere",
    severity: "error",
    title: "a route leads past the network that a server or client is in",
    why: "A more specific route, or a routing rule, goes before the route of a directly attached network. Packets to a machine in that network then go to another interface or to a router, which perhaps drops them. Such routes are often left over from a time when the machine was elsewhere.",
    looked:
      "Servers whose connections all wait in SYN_RECV, and with masquerading the clients that wait for them: those that are in the network of an interface that is up, while the route to them leaves by another interface or has a gateway. A machine that answers ARP or neighbor discovery where the route leads is not reported. It is only likely, because the route may be meant so and the server silent for another reason.",
    cure: "Remove the route, also from the configuration of the network.",
    sysctls: [],
  },
  {
    id: "server-by-default-route",
    severity: "error",
    title: "only the default route leads to a masqueraded real server",
    why: "Without a route to the network of the real servers, the director sends their packets to its default router, mostly toward the clients, which drops them or sends them elsewhere. Such a route is missing if an address was added with a wrong prefix length, such as /32, or if it was removed with an interface.",
    looked:
      "Masqueraded servers whose connections all wait in SYN_RECV, and whose route is the default route, if no other masqueraded server to which the same router leads has answered and is not silent. It is only likely: the servers may really be behind that router, and silent for another reason.",
    cure: "If the network of the servers is attached to this machine, correct the prefix length of the address there: `ip address add ADDRESS/24 dev INTERFACE`, then remove the old one. If it is behind another router, add the route: `ip route add NETWORK via ROUTER`. If the route is right, run the command above on the server.",
    sysctls: [],
  },
  {
    id: "neighbor-fixed",
    severity: "error",
    title: "a fixed neighbor entry sends packets where nobody answers",
    why: "For a permanent neighbor entry the kernel never asks who has the address. If the machine got another network card, or another machine took over the address, packets still go to the old hardware address, and nobody gets them.",
    looked:
      "Real servers whose connections all wait in SYN_RECV, or that did not answer --probe: whether the neighbor entry of the server, or of the router to it, is permanent. The same for the clients that wait, unless servers have answered clients behind the same router. Entries on VXLAN and Geneve interfaces are not considered, because network plugins make them permanent. It is only likely: the entry may be right, and the server silent for another reason.",
    cure: "If the hardware address in it is wrong, remove the entry: the kernel then asks for the hardware address, as for any neighbor. Where entries are fixed on purpose, such as against forged ARP, correct it and keep it permanent: `ip neighbor replace ADDRESS lladdr LLADDR dev INTERFACE nud permanent`. If it is in a configuration (`ip neighbor`, /etc/ethers), correct it there.",
    sysctls: [],
  },
  {
    id: "path-too-small",
    severity: "error",
    title: "the network drops large packets to a real server",
    why: "The director sends packets that are as large as the MTU of its interface or route. A switch, a bridge or a server's own interface with a smaller MTU drops larger frames, and sends no message, because only routers do. So nobody learns it: small requests work, and uploads, large cookies and some TLS handshakes hang. It happens where jumbo frames, or an MTU with room for a tunnel's header, are not configured on each machine and switch: after a switch was replaced, for example.",
    looked: SIZES_LOOKED,
    cure: "If the network is meant to carry such packets, raise the MTU of the switch, and of each interface between director and server. Else lower the MTU of the director's interface, or of its route to the servers, to what gets through, and keep that in the configuration of the network. The director then drops a larger packet itself, and sends the client a message that asks for smaller ones. The interfaces of the real servers need the same MTU, because their answers can be as large: run the commands under Next there.",
    sysctls: [],
  },
  {
    id: "path-below-mtu",
    severity: "warning",
    title:
      "the network drops packets to a real server that are as large as the MTU",
    why: "The MTU of the director's interface or route is larger than what the network carries, and nobody is told. The packets of clients are smaller and get through, because clients come in by an interface with a smaller MTU. Larger packets are lost: those that the director itself sends, such as health checks with large requests, backups and ssh, and large datagrams of the servers, which are fragmented only if they exceed the MTU.",
    looked: `${SIZES_LOOKED} It is path-too-small if the largest packets of clients, with the header of the tunnel, do not get through either.`,
    cure: "As for path-too-small: raise the MTU of what drops the packets, or lower that of the director's interface or route, and of the real servers.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
