import type { Kind } from "../../finding.js";

/** Findings about addresses, routes and neighbors. */
export const NETWORK_KINDS = [
  {
    id: "vip-not-local",
    severity: "error",
    title: "a virtual address is not local",
    why: "IPVS handles packets that are for the machine itself. A packet to an address that is not local never reaches it: no machine answers for the address, or the packet is forwarded or dropped like any other. Clients see connections time out.",
    looked:
      "For the address of each service: whether the kernel's route to it is of type local. An address of an interface makes such a route, and so does `ip route add local`. A service by firewall mark has no address to check. If the address is that of a real server, the finding is vip-of-server. Nothing is checked on a machine with only a backup sync daemon, where another machine has the address.",
    cure: "Add the address to an interface: to the one that has the other virtual addresses, if there is such a dummy (kube-ipvs0 of kube-proxy). An interface with disable_ipv6 1 gets no IPv6 address, so set that to 0 first, and keep it in /etc/sysctl.d. Where an address moves between directors (keepalived, VRRP), first check which of them must have it now.",
    sysctls: ["net.ipv6.conf.INTERFACE.disable_ipv6"],
  },
  {
    id: "vip-of-server",
    severity: "error",
    title: "a virtual address is the address of a real server",
    why: "An address belongs to one machine. If the director has the address of a real server as a virtual address, its packets to that server do not leave it: requests of the other service end at the director, which refuses them. If the director does not have it, clients of the virtual address reach the real server itself, past the director.",
    looked:
      "The addresses of services that are also the address of a real server of another service, if another machine answers for them: doctor asks for each virtual address and for the next hops to real servers. Nothing is reported if a program on this machine listens for the requests of that server, if the address is the director's own (the network of an interface hangs on it), or if the machine that answers has the address of another real server as well: then it answers for addresses of others, and the finding is vip-answered-elsewhere. Nothing is checked on a machine with only a backup sync daemon.",
    cure: "Take the service at that address off, or move it to another address, and remove the address from the director. Where kube-proxy keeps the table, remove the address from the Kubernetes Service (externalIPs, load balancer).",
    sysctls: [],
  },
  {
    id: "vip-duplicate",
    severity: "error",
    title: "another machine has an IPv6 virtual address as well",
    why: "Before the kernel uses a new IPv6 address, it asks whether another machine has it (duplicate address detection). If one answers, the interface shows the address, but the kernel does not use it: the other machine gets the packets.",
    looked:
      "Whether the kernel has marked the address of a service as a duplicate (dadfailed), as `ip address` shows it. Nothing is checked on a machine with only a backup sync daemon.",
    cure: "Remove the address from the other machine (a real server must have it on lo). Then add it here again: the kernel asks only once.",
    sysctls: [],
  },
  {
    id: "vip-answered-elsewhere",
    severity: "error",
    title: "another machine also answers for a virtual address",
    why: "A client or router that asks for the virtual address (ARP, neighbor discovery) uses whoever answers. If a real server answers as well, some clients talk only to that server, past the director, or all clients behind a router do. Load is not balanced, weights and drains have no effect, and it changes whenever a cache expires. With direct routing and tunneling real servers have the address and must not answer for it. Another director may also have kept the address.",
    looked:
      "Doctor asks the network for each virtual address, on the interfaces that have it or are in its network, as the kernel does for any neighbor. An answer from another hardware address is reported. If a real server has that hardware address, it is named. Doctor cannot ask for an IPv6 address that the interface itself has, or on an interface whose only IPv4 address it is. Nothing is checked on a machine with only a backup sync daemon.",
    cure: "On a real server: answer only for addresses of the interface that was asked, and never announce others (arp_ignore 1, arp_announce 2), with the virtual address on lo. Any other machine must give the address up. Then flush the neighbor caches of clients and routers.",
    sysctls: [
      "net.ipv4.conf.INTERFACE.arp_ignore",
      "net.ipv4.conf.INTERFACE.arp_announce",
    ],
  },
  {
    id: "vip-unanswered",
    severity: "error",
    title: "the director does not answer for a virtual address",
    why: "A client or router in the network of the virtual address asks for its hardware address (ARP, neighbor discovery). If the address is on lo or a dummy, the interface that is asked answers only with arp_ignore 0; with IPv6 it never does. Settings that are right for real servers (arp_ignore 1, the address on lo) silence a director: nobody finds the address, and clients see connections time out or no route to host. What they remember of a neighbor still works for some minutes.",
    looked:
      "For the address of each service without packets now (by its rate, or because each of its connections has been idle for five seconds): the interfaces in whose network it is, where the address is, and arp_ignore, of which the larger of all and the interface counts. With IPv6 an interface with proxy_ndp is not reported. It is only likely: routers may have a route for the address through this machine. Nothing is reported if no interface is in the network of the address, if another machine answers for it, or on a machine with only a backup sync daemon.",
    cure: "Put the address on the interface in whose network it is, with a prefix length of 32 (128 for IPv6). keepalived does that when it takes over. Then flush the neighbor caches of clients and routers, or announce the address with arping -U.",
    sysctls: ["net.ipv4.conf.INTERFACE.arp_ignore"],
  },
  {
    id: "neighbor-discovery-blocked",
    severity: "error",
    title: "the director's firewall stops neighbor discovery",
    why: "With IPv6 a neighbor solicitation (ICMPv6 type 135) asks for the hardware address of a neighbor, and a neighbor advertisement (type 136) answers. They pass INPUT and OUTPUT like all packets, and no rule for established connections accepts them: connection tracking calls them untracked. Without them clients and routers do not find the virtual address, and the director does not find the real servers. Neighbors that are known already still work for some seconds or minutes, so the traffic stops some time after the firewall was changed.",
    looked:
      "The rules of nft and of both variants of iptables, for the solicitations and advertisements that each service with IPv6 needs: on the interfaces to its clients, and on those to its real servers. What follows from it has no findings of its own: real servers that do not answer, failed probes, and services that no packet reached. Nothing is checked on a machine with only a backup sync daemon.",
    cure: "Accept ICMPv6 types 135 and 136 in INPUT and OUTPUT ahead of the rule, and add that to the configuration of the firewall.",
    sysctls: [],
  },
  {
    id: "server-unroutable",
    severity: "error",
    title: "there is no route to a real server",
    why: "The scheduler does not check whether a real server can be reached. It gives each server its share of the connections, and those to a server without a route fail.",
    looked:
      "For each real server with a weight: the kernel's route to it. There is none, or it is of type unreachable, prohibit or blackhole. With IPv6 and no default route: whether an interface, other than those to the real servers, forwards and has accept_ra 1. The kernel then ignores router advertisements there.",
    cure: "Add the route, or correct the address of the server. Until then take the server out: with weight 0 it gets no new connections. The schedulers dh and sh (without sh-fallback) refuse the clients of a server with weight 0, so with them remove it.",
    sysctls: ["net.ipv6.conf.INTERFACE.accept_ra"],
  },
  {
    id: "asked-from-vip",
    severity: "error",
    title: "the director asks for real servers from a virtual address",
    why: "An ARP question has a source: the first address of the interface in the network of the server. The virtual address is the first one if it was added first, with the prefix length of the network. A real server with direct routing or a tunnel has the virtual address as well, so it takes the source for a forged one and does not answer. The director finds it only for a while after the server itself has sent something.",
    looked:
      "For real servers with -g or -i and a weight that do not answer ARP (as for server-silent) and are in a network of the director: whether the source of the question is the address of their service, and no other server of the service has answered such a question. It is only likely, because the server can be off as well. IPv6 is not concerned: neighbor discovery asks from link-local addresses.",
    cure: "Give the virtual address the prefix length 32, and the interface an address of its own in the network. Keep that in the configuration of the network, or of keepalived (virtual_ipaddress): the machine's own address first, the virtual address with /32.",
    sysctls: ["net.ipv4.conf.INTERFACE.promote_secondaries"],
  },
  {
    id: "persistence-to-dead-server",
    severity: "error",
    title: "persistence binds clients to a real server that does not answer",
    why: "With persistence each connection of a client goes to the server that its template names. If that server is dead, these clients get no answer while others do, and each attempt renews the template. With weight 0 the server gets no new clients, but the bound ones stay.",
    looked:
      "Servers of persistent services with a weight and with persistence templates: doctor asks for the next hop as for server-silent. If net.ipv4.vs.expire_quiescent_template is 1, weight 0 frees the clients, and the finding is server-silent.",
    cure: "Set expire_quiescent_template to 1 and take the server out with weight 0: the next connection of each client gets another server. Removing the server has the same effect.",
    sysctls: ["net.ipv4.vs.expire_quiescent_template"],
  },
  {
    id: "one-packet-to-dead-server",
    severity: "error",
    title:
      "one-packet scheduling sends datagrams to a real server that does not answer",
    why: "With one-packet scheduling (-o) each datagram is scheduled separately and leaves no entry in the connection table. The dead server gets its share of all datagrams. With a hashing scheduler (sh, mh, dh) the same clients get it every time.",
    looked:
      "Servers of services with -o that have a weight: doctor asks for the next hop as for server-silent. A program that does not answer on a machine that does cannot be seen here.",
    cure: "Check the server, and whether its address in the table is right: if not, add the server with the right address and remove this one. Until then take it out: with weight 0 the next datagram goes to another server. The schedulers dh and sh (without sh-fallback) refuse the clients of a server with weight 0, so with them remove it.",
    sysctls: [],
  },
  {
    id: "server-silent",
    severity: "error",
    title: "a real server, or the router to it, does not answer",
    why: "The director needs the hardware address of the next hop. If nothing answers ARP or neighbor discovery, the machine is off, its cable is out, or the address is wrong. The scheduler still gives the server its share of the connections, and those fail.",
    looked:
      "For each real server with a weight: doctor asks for the next hop for two seconds, as the kernel does for any neighbor. If there are hundreds of servers, some are judged by what the kernel knows.",
    cure: "Check the server, and whether its address in the table is right: if not, add the server with the right address and remove this one. Until then take it out: with weight 0 it gets no new connections. The schedulers dh and sh (without sh-fallback) refuse the clients of a server with weight 0, so with them remove it. A health checker such as keepalived does that automatically.",
    sysctls: [],
  },
  {
    id: "interface-silent",
    severity: "error",
    title: "no real server behind an interface of the director answers",
    why: "If all real servers behind an interface are silent at once, the cause is rather the director's interface, its cable, switch port or VLAN than each of the servers. An interface can be up and still carry nothing: a bond can send by a port whose cable is dead, a bridge can be without a port, the parent of a VLAN can be without a carrier. All connections that the scheduler sends there fail.",
    looked:
      "Doctor asks for each next hop, as for server-silent. It is proven if the interface, or what lies under it (the ports of a bond or bridge, the parent of a VLAN), carries nothing. Otherwise it is likely, if there are at least two next hops behind the interface, none of them answers, and no other neighbor there has answered in the last seconds.",
    cure: "Check the cable, the switch port and its VLAN, and the interface's own configuration. Do not take the servers out: that would leave the services without any.",
    sysctls: [],
  },
  {
    id: "bond-unwatched",
    severity: "warning",
    title: "a bond does not notice dead cables",
    why: "A bond leaves a port that is dead only if it watches its ports: their carrier (miimon), or the answers of ARP targets (arp_interval). If both are 0, it goes on sending by a dead port, although another one works.",
    looked:
      "Each bond that is up and has at least two ports: miimon and arp_interval, both 0. If it sends by a dead port now, the finding is interface-silent.",
    cure: "Set miimon. Use arp_interval with arp_ip_target instead if a switch between the machines can fail while the carrier stays.",
    sysctls: [],
  },
  {
    id: "direct-via-router",
    severity: "error",
    title: "direct routing to a real server behind a router",
    why: "Direct routing (-g) sends the packet unchanged, still addressed to the virtual address, to the next hop. The next hop must be the real server itself, in a directly attached network. A router in between sends the packet where it sends all packets to the virtual address: back to the director.",
    looked:
      "For each real server with -g and a weight: whether the kernel's route to it has a gateway.",
    cure: "Either give the director an interface in the network of the server, or change the forwarding method to tunneling (-i), which also needs a tunnel interface on the server. `ipvsadm doctor --real-server` on the server checks that. A change of the method affects all new connections of the server, so prepare the server first.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
