import type { Kind } from "../finding.js";

/** What can be found on a real server. */
export const REAL_SERVER_KINDS = [
  {
    id: "vip-absent",
    severity: "error",
    title: "the real server does not have the virtual address",
    why: "With direct routing and tunneling a real server gets packets that are still addressed to the virtual address. Unless that is its own it takes them for somebody else's: it drops them, or forwards them, at worst back to the director. Clients see connections time out.",
    looked:
      "Which way a packet to the virtual address would take from here, as ip route get tells. An address that rules of a firewall redirect (REDIRECT, TPROXY) is not seen.",
    cure: "Give the virtual address to lo, with a prefix length of 32 (128 for IPv6), once ARP keeps quiet about it; and keep both so in the configuration of the network.",
    sysctls: [
      "net.ipv4.conf.INTERFACE.arp_ignore",
      "net.ipv4.conf.INTERFACE.arp_announce",
    ],
  },
  {
    id: "vip-with-network",
    severity: "error",
    title: "the virtual address came with its whole network",
    why: "An address on lo, a dummy or a tunnel with a shorter prefix length than 32 (128 for IPv6) makes the kernel believe that all of that network is there: every address of it is the machine's own on lo, and behind the dummy or the tunnel elsewhere. Answers to clients of that network, and to routers in it, never leave the machine; what comes from them is dropped as impossible.",
    looked:
      "The prefix length of the virtual address on interfaces that have no neighbors: lo, dummy, tunnels.",
    cure: "Set the address again with a prefix length of 32, or 128 for IPv6.",
    sysctls: [],
  },
  {
    id: "vip-answers",
    severity: "error",
    title:
      "the real server answers when the network asks for the virtual address",
    why: "When a client or a router asks who has the virtual address (ARP, neighbor discovery), the director alone is to answer. A real server that does, too, gets whole clients by chance, until they ask again: they go past the director, all to one server, and lose their connections when the answer changes. Load looks balanced on average, and is not.",
    looked:
      "On interfaces in whose network the virtual address lies, or all if it lies in none and packets come by direct routing: whether ARP answers by arp_ignore, of which the larger of all and the interface's counts, and by where the address is. Neighbor discovery answers for addresses of the very interface. Rules of arptables are not seen.",
    cure: "Have the virtual address on lo, and arp_ignore be 1 on the interfaces that can be asked; and keep it so in /etc/sysctl.d. Others believe for some seconds or minutes what they have heard.",
    sysctls: ["net.ipv4.conf.INTERFACE.arp_ignore"],
  },
  {
    id: "vip-announced",
    severity: "error",
    title:
      "the real server asks its neighbors in the name of the virtual address",
    why: "Before its first answer to a client, the real server asks who has the client's address, or its router's. If it asks in the name of the virtual address, which the answer comes from, whoever is asked learns from that question that the virtual address is at the real server's interface, and sends all that follows there, past the director.",
    looked:
      "On the same interfaces as vip-answers: arp_announce, of which the larger of all and the interface's counts. Level 1 does not do where the virtual address fits a network of the interface. Rules of arptables are not seen.",
    cure: "Set arp_announce to 2 on the interfaces that have neighbors, and keep it so in /etc/sysctl.d. Others believe for some seconds or minutes what they have heard.",
    sysctls: ["net.ipv4.conf.INTERFACE.arp_announce"],
  },
  {
    id: "server-firewall-blocks",
    severity: "error",
    title: "a firewall rule on the real server stops requests or answers",
    why: "Requests pass the chains PREROUTING and INPUT of the real server. With direct routing and tunneling their destination is the virtual address, with masquerading the server's own. A tunnel's packets pass INPUT before the packet inside does. Answers pass OUTPUT and POSTROUTING. If a rule or a policy drops them, clients see connections time out; if one rejects them, refused.",
    looked:
      "The rules of nft and of both variants of iptables, with their packet counts, for the packets of each service. A rule that doctor cannot judge is listed under Not checked if it has matched packets. --method, --director, --client and --server say more about the packets.",
    cure: "Accept these packets ahead of the rule, and add that to the configuration of the firewall.",
    sysctls: [],
  },
  {
    id: "nobody-listens",
    severity: "error",
    title: "no program listens at the virtual address and port",
    why: "With direct routing and tunneling packets come to the virtual address and the service's port: the port cannot be another one. A program that listens at the real server's own address alone does not get them, and clients see their connections refused.",
    looked:
      "TCP sockets that listen and UDP sockets without a peer, in /proc/net: at the service's port, and at the virtual address or at any. One at any IPv6 address counts for IPv4, too. For this the port must be named; what listens for SCTP is not seen.",
    cure: "Have the program listen at any address (0.0.0.0 or [::]), or at the virtual address, and at the service's port.",
    sysctls: [],
  },
  {
    id: "udp-wildcard",
    severity: "warning",
    title: "answers over UDP may come from another address than was asked",
    why: "A UDP socket that is bound to no address sends its answers from the address of the interface by which they leave, unless the program takes care (IP_PKTINFO). The client asked the virtual address, and drops what comes from another one.",
    looked:
      "UDP sockets at the service's port, in /proc/net: that there is one for any address, and none for the virtual address itself. What its program does cannot be seen.",
    cure: "Have the program bind a socket to the virtual address, or answer from the address that was asked; many have an option for it.",
    sysctls: [],
  },
  {
    id: "no-decapsulation",
    severity: "error",
    title: "nothing takes packets out of the director's tunnel",
    why: "A tunnelled packet is addressed to the real server itself, and has the client's packet in it. An interface of the tunnel's kind must be up to take that out, else the kernel answers that it does not know the protocol, and clients see connections time out.",
    looked:
      "With --method tunnel, gue or gre: interfaces of kind ipip or gre (ip6tnl or ip6gre for IPv6), whether one is up whose local end is an address of this machine, if it has one, and whose remote end is the director, if it has one and --director tells.",
    cure: "Load the module and set up the interface that comes with it (tunl0, gre0, ip6tnl0, ip6gre0): it takes what is for no other tunnel.",
    sysctls: [],
  },
  {
    id: "no-gue-port",
    severity: "error",
    title: "the kernel does not take GUE at any port",
    why: "With --tun-type gue the director sends packets within UDP datagrams to a port of the real server. Unless the kernel has been told to take packets out of what comes to that port, it answers that nobody listens there, and clients see connections time out. What comes out of the datagrams is IP in IP, for which an interface must be up as well.",
    looked:
      "With --method gue: the ports that ip fou show lists, of the virtual address's family. Whether it is the port of --tun-port cannot be seen from here.",
    cure: "Add the port that the director's --tun-port names, and have that done when the machine starts.",
    sysctls: [],
  },
  {
    id: "own-source",
    severity: "error",
    title: "the director sends from an address that is this machine's, too",
    why: "A director's tunnel has as its source whichever of its addresses its route says, and that can be the virtual one. A real server has that as well, takes the packet for one that claims to be its own, and drops it in silence (a martian), unless accept_local is set. Clients see connections time out.",
    looked:
      "With --method tunnel, gue or gre, and a --director that is an address of this machine: what the kernel would do with a packet from there to the address of each interface with neighbors.",
    cure: "Set accept_local to 1 on the interface by which the tunnel's packets come in, or have the director send from another of its addresses: ip route change NETWORK via ROUTER src ADDRESS. For IPv6 there is no such setting: on the director, ip address change VIP/128 dev INTERFACE preferred_lft 0.",
    sysctls: ["net.ipv4.conf.INTERFACE.accept_local"],
  },
  {
    id: "reverse-path",
    severity: "error",
    title: "reverse path filtering drops what clients send",
    why: "With rp_filter 1 the kernel drops a packet whose answer would leave by another interface than it came in, in silence; with rp_filter 2 it does so as well if the interface has no address. What comes out of a tunnel always is such a packet, and so are requests to a machine that has one interface to the director and another to its router. Clients see connections time out.",
    looked:
      "Of tunnels that are up: rp_filter, of which the larger of all and the interface's counts; with --client, what the kernel would do with a packet of the client that comes in where the director's come.",
    cure: "Set rp_filter to 2 on that interface, and keep it so in /etc/sysctl.d: as the larger one counts, this holds whatever that of all is, and setting it to 0 there would not. If the interface has no address, give it the virtual one, too. Or set rp_filter to 0 both of all and there.",
    sysctls: ["net.ipv4.conf.INTERFACE.rp_filter"],
  },
  {
    id: "no-way-back",
    severity: "error",
    title: "the real server has no way to the client",
    why: "With direct routing and tunneling a real server answers clients itself, so it needs a route to wherever they are; the director's does not help.",
    looked:
      "With --client: which way an answer from the virtual address to the client would take, as ip route get tells.",
    cure: "Add a route, usually the default one, by a router that knows the clients. With direct routing that cannot be the director, unless its kernel is told to accept packets with its own address as their source.",
    sysctls: [],
  },
  {
    id: "way-back-elsewhere",
    severity: "error",
    title: "masqueraded answers go past the director",
    why: "With masquerading the real server's answers have its own address as their source; only on their way through the director the virtual address is put in its place. Clients do not know the real server's address, and drop answers that come straight from it. Connections time out; on the director they pile up as SYN_RECV.",
    looked:
      "With --method masq and --director: whether the way to the client that --client names, or else the default route, leads by the director.",
    cure: "Route answers by the director. Clients in the real server's own network need a route each, or a service that also replaces the client's address.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
