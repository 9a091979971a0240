import type { Kind } from "../finding.js";

/** Findings on a real server. */
export const REAL_SERVER_KINDS = [
  {
    id: "own-table-balances",
    severity: "error",
    title:
      "the IPVS table of the real server balances the director's packets again",
    why: "This machine is a real server, and has the service in an IPVS table of its own. A packet that the director sends to it by direct routing or tunneling still has the virtual address. So IPVS takes it here, before any program gets it, and sends a part of these packets to other real servers, perhaps back to the director, where they loop. Their clients get no answer.",
    looked:
      "Whether the table of this machine has the service, with another real server that has a weight and is reached by direct routing or tunneling. Nothing is reported if a backup sync daemon runs here and net.ipv4.vs.backup_only is 1, if --director is an address of this machine, or with masquerading. Services by firewall mark are not examined. It is only likely if --director is missing and no backup sync daemon, or a master as well, runs here: this machine can be the active director.",
    cure: "With a backup sync daemon and backup_only the machine balances nothing while it is a backup, and handles what comes for itself. Set it in /etc/sysctl.d, so that it is there after a reboot. Without sync daemons, use a service by firewall mark that packets from the other director do not get. If this machine is no director, delete the service here.",
    sysctls: ["net.ipv4.vs.backup_only"],
  },
  {
    id: "vip-absent",
    severity: "error",
    title:
      "the real server does not have the virtual address, or cannot use it",
    why: "With direct routing and tunneling a real server gets packets that are still addressed to the virtual address. If that address is not its own, it drops them or forwards them, at worst back to the director. Clients see connections time out.",
    looked:
      "The route that a packet to the virtual address takes here, as `ip route get` shows it. With IPv6 an interface with neighbors can have the address without using it, because duplicate address detection found it at another station (`ip address` shows dadfailed). Without --method it is only likely, because a masqueraded server needs no virtual address. Firewall rules that redirect the address (REDIRECT, TPROXY) are not considered.",
    cure: "Set arp_ignore and arp_announce first, so that the server does not answer for the address. Then add the virtual address to lo, with a prefix length of 32 (128 for IPv6). Keep both in the configuration of the network.",
    sysctls: [
      "net.ipv4.conf.INTERFACE.arp_ignore",
      "net.ipv4.conf.INTERFACE.arp_announce",
    ],
  },
  {
    id: "server-address-twice",
    severity: "error",
    title: "the director reaches another machine at the address of the server",
    why: "Two machines have the address of the real server. The director uses the hardware address of the one that answers first, or that announced itself last. If that is the other machine, requests never arrive here. A machine without the program refuses them, and the director sees a real server that refuses. It can change from one minute to the next.",
    looked:
      "Whether an interface of this machine has the hardware address of --hardware-address. The director has it from ARP or neighbor discovery, and prints the option in its command for this server. Interfaces of bonds, bridges and VRRP count. It is only likely: a router or a cloud's network that answers ARP for all machines (proxy ARP) has another hardware address as well.",
    cure: "Find the machine with that hardware address, and remove the address there, also from its configuration. Switches show the port of a hardware address. Then the director must ask again; by itself it does so within a minute.",
    sysctls: [],
  },
  {
    id: "vip-with-network",
    severity: "error",
    title: "the virtual address brings a whole network with it",
    why: "If an address on lo, a dummy or a tunnel has a shorter prefix length than 32 (128 for IPv6), the kernel routes that whole network there. On lo every address of the network is local. Answers to clients and routers in that network never leave the machine, and their packets are dropped as impossible.",
    looked:
      "The prefix length of the virtual address on interfaces without neighbors: lo, dummy, tunnels.",
    cure: "Set the address again with a prefix length of 32, or 128 for IPv6.",
    sysctls: [],
  },
  {
    id: "vip-answers",
    severity: "error",
    title:
      "the real server answers when the network asks for the virtual address",
    why: "When a client or a router asks who has the virtual address (ARP, neighbor discovery), only the director may answer. If a real server answers too, some clients talk directly to that server until they ask again. They lose their connections when the answer changes. On average the load looks balanced, but it is not.",
    looked:
      "The interfaces in whose network the virtual address is; all interfaces if it is in none and packets come by direct routing. For ARP: arp_ignore, of which the larger of all and the interface counts, and where the address is. Neighbor discovery answers for addresses of the interface itself, but not if duplicate address detection failed: that is vip-absent. Rules of arptables are not considered.",
    cure: "Put the virtual address on lo, and set arp_ignore to 1 on the interfaces that can be asked. Keep it so in /etc/sysctl.d. Other machines remember the old answer for some seconds or minutes.",
    sysctls: ["net.ipv4.conf.INTERFACE.arp_ignore"],
  },
  {
    id: "vip-announced",
    severity: "error",
    title:
      "the real server uses the virtual address when it asks its neighbors",
    why: "Before its first answer to a client, the real server asks for the hardware address of the client or its router. If it uses the virtual address as the source of that question, the neighbor learns from it that the virtual address is at the real server, and sends all further packets there, past the director.",
    looked:
      "On the same interfaces as vip-answers: arp_announce, of which the larger of all and the interface counts. Level 1 is not enough if the virtual address is in a network of the interface. Rules of arptables are not considered.",
    cure: "Set arp_announce to 2 on the interfaces with neighbors, and keep it so in /etc/sysctl.d. Other machines remember the old answer for some seconds or minutes.",
    sysctls: ["net.ipv4.conf.INTERFACE.arp_announce"],
  },
  {
    id: "server-neighbor-discovery-blocked",
    severity: "error",
    title: "the real server's firewall stops neighbor discovery",
    why: "With IPv6 a neighbor solicitation (ICMPv6 type 135) asks for the hardware address of a neighbor, and a neighbor advertisement (type 136) answers. They pass INPUT and OUTPUT like all packets, and no rule for established connections accepts them: connection tracking calls them untracked. Without them the director does not find the real server, or the server finds neither clients nor routers. Neighbors that are known already still work for some seconds or minutes.",
    looked:
      "The rules of nft and of both variants of iptables, for the solicitations and advertisements on all interfaces with neighbors and an IPv6 address, if the service or the director has an IPv6 address. A rule that stops them only on some of these interfaces is not reported.",
    cure: "Accept ICMPv6 types 135 and 136 in INPUT and OUTPUT ahead of the rule, and add that to the configuration of the firewall.",
    sysctls: [],
  },
  {
    id: "server-firewall-blocks",
    severity: "error",
    title: "a firewall rule on the real server stops requests or answers",
    why: "Requests pass the chains PREROUTING and INPUT of the real server. With direct routing and tunneling their destination is the virtual address, with masquerading the server's own. A tunnel's packets pass INPUT before the packet inside does. Answers pass OUTPUT and POSTROUTING. If a rule or a policy drops them, clients see connections time out; if one rejects them, refused.",
    looked:
      "The rules of nft and of both variants of iptables, with their packet counts, for the packets of each service. Also for the messages of routers that ask for smaller packets (ICMP fragmentation needed, ICMPv6 packet too big): it is likely if a rule for ICMP has dropped packets that are as large as these. Doctor looks up the routes, so it also judges rules that drop packets whose answers would leave by another interface (the match rpfilter of iptables, `fib saddr . iif oif` of nft), for the client and the director that are named. Packets from a tunnel are always of this kind. A rule that doctor cannot judge is listed under Not checked if it has matched packets. --method, --director, --client and --server say more about the packets.",
    cure: "Accept these packets ahead of the rule, and add that to the configuration of the firewall.",
    sysctls: [],
  },
  {
    id: "source-limit-shared",
    severity: "error",
    title: "a limit for each source address counts all clients as one",
    why: "With full NAT the director puts its own address in place of the clients' (SNAT), so all requests come from one source. A firewall rule of the real server that limits the connections of each source (the matches recent, hashlimit and connlimit, or a set of nft with `limit rate over` or `ct count over`) then counts all clients together: as soon as they exceed the limit of one, it drops requests of all. Such rules are often added against floods, long after the service.",
    looked:
      "With a --client that is the director's address: rules of nft and of both variants of iptables that perhaps stop requests, have matched packets, and limit by source address; also a DROP behind a rule that accepts what is within such a limit. Whether they stop these requests cannot be proven, so it is only likely. Doctor reads the counters again for up to five seconds, and says whether they grew.",
    cure: "Accept the director's address ahead of the rule, as printed, and limit clients on the director, which sees their own addresses. Or raise the limit to what all clients together need. Add that to the configuration of the firewall.",
    sysctls: [],
  },
  {
    id: "server-firewall-doubtful",
    severity: "warning",
    title: "a firewall rule that perhaps drops requests stops packets now",
    why: "Doctor cannot judge all conditions of this rule: it asks a set, counts packets or connections, or looks into them. Its counter grows while doctor looks, so it stops packets that look like requests of the service. They may be those of the client, or of somebody whom the rule is meant for, such as a banned address or a flood.",
    looked:
      "With --client: rules of nft and of both variants of iptables that perhaps stop requests and have matched packets. Doctor reads their counters again for up to five seconds. Those that do not grow are listed under Not checked.",
    cure: "Find out whether the rule is for the client: `ipset list`, `nft list set`, /proc/net/xt_recent and the log of the program that fills them (such as fail2ban) name addresses. If a limit for each source is too low, raise it, or exempt the clients that share an address ahead of the rule.",
    sysctls: [],
  },
  {
    id: "nobody-listens",
    severity: "error",
    title: "no program listens at the address and port of the requests",
    why: "With direct routing and tunneling packets arrive at the virtual address and the port of the service. A program that listens only at the real server's own address does not get them. With masquerading packets arrive at the server's own address and port, which --server names. A program that listens only at 127.0.0.1 gets requests of its own machine only. Clients see their connections refused.",
    looked:
      "Listening TCP sockets and unconnected UDP sockets in /proc/net: at the port, and at the address or at any address. A socket at any IPv6 address also counts for IPv4. The service must have a port. SCTP is not checked.",
    cure: "Start the program, and let it listen at any address (0.0.0.0 or [::]). Or, with direct routing and tunneling, at the virtual address and the port of the service; with masquerading, at the server's own address and the port that the director lists for it.",
    sysctls: [],
  },
  {
    id: "connections-unaccepted",
    severity: "error",
    title: "a program listens and does not accept connections",
    why: "The kernel completes connections to a port at which a program listens, and puts them into a queue until the program accepts them. If the program hangs, is stopped, or has reached its limit of workers or open files, they wait there. Clients see a connection, and no answer. If the queue is full, the kernel drops new requests, and clients see connections time out. Checks that only connect find no fault.",
    looked:
      "TCP connections to the port of the service in /proc/net/tcp and tcp6 that no program has accepted, read again after one second and after three: those that are there each time. Also the processes that have the listening socket and do not run, by /proc/PID/stat: stopped (T), held by a debugger (t, or TracerPid in /proc/PID/status), or waiting in the kernel (D).",
    cure: "Look at the program: its log, whether it waits for something, such as a database, its limits of workers and open files. A program that is stopped goes on with `kill -CONT`. Restart it if it hangs. Until then take the server out on the director: weight 0.",
    sysctls: [],
  },
  {
    id: "udp-wildcard",
    severity: "warning",
    title: "answers over UDP may come from another address than was asked",
    why: "A UDP socket without an address sends its answers from the address of the outgoing interface, unless the program handles that (IP_PKTINFO). The client asked the virtual address, and drops answers from another one.",
    looked:
      "UDP sockets at the port of the service in /proc/net: one for any address, and none for the virtual address. What the program does cannot be seen.",
    cure: "Let the program bind a socket to the virtual address, or answer from the address that was asked. Many programs have an option for it.",
    sysctls: [],
  },
  {
    id: "no-decapsulation",
    severity: "error",
    title: "no interface unpacks the packets of the director's tunnel",
    why: "A tunneled packet is addressed to the real server itself and contains the client's packet. An interface of the tunnel's kind must be up to unpack it. Without one the kernel answers that it does not know the protocol, and clients see connections time out.",
    looked:
      "With --method tunnel, gue or gre: whether an interface is up that unpacks such packets. Its kind is ipip for IPv4 inside IPv4, sit for IPv6 inside IPv4, ip6tnl for packets inside IPv6; gre or ip6gre for GRE. The family outside is that of --director. Without it, doctor looks at the interfaces that are up. If it has a local address, that must be an address of this machine. If it has a remote address, that must be the director, as far as --director tells. A GRE interface with a key or sequence numbers takes no packets of IPVS. It takes packets with checksums only if it has icsum, and then no others; --tun-csum tells which the director sends.",
    cure: "Load the module and set its interface up (tunl0, sit0, gre0, ip6tnl0, ip6gre0): it takes all packets that no other tunnel takes. For IPv4 inside IPv6, ip6tnl0 also needs the mode any. If an interface is there and meant for another director, correct its remote address instead.",
    sysctls: [],
  },
  {
    id: "no-gue-port",
    severity: "error",
    title: "the kernel accepts GUE at no port",
    why: "With --tun-type gue the director sends packets inside UDP datagrams to a port of the real server. If the kernel does not unpack what comes to that port, it answers that no program listens there. Clients see connections refused or time out. The datagrams contain IP in IP, which also needs an interface that is up.",
    looked:
      "With --method gue: the ports that `ip fou show` lists for the family of the director's address. With --tun-port also whether it is the director's port (gue-port-differs).",
    cure: "Add the port of the director's --tun-port, also at boot.",
    sysctls: [],
  },
  {
    id: "gue-port-differs",
    severity: "error",
    title:
      "the director sends GUE to a port where this kernel does not accept it",
    why: "The director sends GUE to the UDP port of --tun-port. The kernel of the real server unpacks datagrams only at the ports that `ip fou` has. At another port it answers that no program listens there. With IPv4 the director sends this ICMP error on, and clients see their connections refused. Otherwise they see them time out.",
    looked:
      "With --method gue and --tun-port: the ports that `ip fou show` lists for the family of the director's address.",
    cure: "Let the kernel accept GUE at the director's port as well, also at boot: `ip fou add port PORT gue`. Or change the port on the director: print the server's line there with `ipvsadm -S -n`, and run it with -e in place of -a and with the right --tun-port. `-e` resets what it does not name.",
    sysctls: [],
  },
  {
    id: "own-source",
    severity: "error",
    title: "the director sends from an address that this machine also has",
    why: "The source of a tunnel's packets is the address that the director's route selects, which can be the virtual address. A real server has that address as well. It takes the packet for one with a forged source and silently drops it (a martian), unless accept_local is set. Clients see connections time out.",
    looked:
      "With --method tunnel, gue or gre, and a --director that is an address of this machine: what the kernel would do with a packet from there, for each interface with neighbors.",
    cure: "Set accept_local to 1 on the interface where the tunnel's packets come in, or let the director send from another address: `ip route change NETWORK via ROUTER src ADDRESS`. IPv6 has no such setting: on the director, `ip address change VIP/128 dev INTERFACE preferred_lft 0`.",
    sysctls: ["net.ipv4.conf.INTERFACE.accept_local"],
  },
  {
    id: "reverse-path",
    severity: "error",
    title: "reverse path filtering drops the packets of clients",
    why: "With rp_filter 1 the kernel silently drops a packet if the answer to it would leave by another interface. With rp_filter 2 it also does so if the interface has no address. Packets from a tunnel are always of this kind. So are requests to a machine with one interface to the director and another to its router. Clients see connections time out.",
    looked:
      "For tunnels that are up, of the method or of any if it is not known: rp_filter, of which the larger of all and the interface counts. With --client: what the kernel would do with a packet of the client on the interface where the director's packets come in.",
    cure: "Prefer a way back by the same interface: a route to the clients there, or policy routing by the virtual address. Packets from a tunnel have no such way, so their interface needs a looser filter: rp_filter 2 on that interface only, kept in /etc/sysctl.d. The larger value counts, so this works whatever the value for all is. If the interface has no address, give it the virtual address as well. Forged sources are then no longer dropped there.",
    sysctls: ["net.ipv4.conf.INTERFACE.rp_filter"],
  },
  {
    id: "no-way-back",
    severity: "error",
    title: "the real server has no route to the client",
    why: "With direct routing and tunneling a real server answers clients itself, so it needs a route to them. The director's routes do not help. With masquerading it answers through the director. A routing rule for the source address (`ip rule`) can send answers to another table than the main one.",
    looked:
      "With --client: the route of an answer from the virtual address to the client, as `ip route get` shows it. With masquerading from the server's own address.",
    cure: "Add a route, usually the default route, through a router that can reach the clients, to the table in which the kernel looks. With masquerading that router is the director. With direct routing it cannot be the director, because its kernel drops packets with its own address as their source.",
    sysctls: [],
  },
  {
    id: "way-back-elsewhere",
    severity: "error",
    title: "answers of this masqueraded server do not go through the director",
    why: "With masquerading the answers of the real server have its own address as their source. The director replaces it by the virtual address on their way back. Clients do not know the real server's address, and drop answers that come directly from it. Connections time out. On the director they wait in SYN_RECV.",
    looked:
      "With --method masq and --director: whether the route to the client that --client names, or else the default route, goes through the director: through the address that --director names, or through another address with the same hardware address, such as the director's link-local address of a router advertisement. Doctor asks for both by ARP or neighbor discovery, so it also sees whether the router of that route answers, and whether a client to which the route leads directly is there. With SNAT on the director, --client must be the director's address, because that is the client whom the server sees. The server does not know whether there is SNAT, so this is only likely.",
    cure: "Ask on the director first whether it does SNAT for the service: the commands that its doctor prints for this server then have the director's address as --client, and this route does not matter. Unless it does, route answers through the director: with the default route, or with the route that leads to the clients now. The server's own connections then go through the director as well. A route from a router advertisement comes again after each advertisement: add the route through the director with a lower metric. Clients in the real server's own network need a host route each, or SNAT on the director. If a client that seems to be in the server's own network does not answer there, the prefix length of the server's address is probably wrong. If the router is an address that moves between two directors and does not answer, the active director has not taken it over: add it there. A link-local address with ff:fe in its middle is formed from the hardware address of a card, and is gone with the card: route through the director's fixed address.",
    sysctls: [],
  },
  {
    id: "way-back-through-director",
    severity: "error",
    title:
      "answers of direct routing go through the director, which drops them",
    why: "With direct routing and tunneling a real server answers clients itself, and the source of its answers is the virtual address. The director has that address, too. Its kernel takes a packet that comes in from there for one with a forged source and silently drops it (a martian), whether it forwards or not. Clients see connections time out. Servers that were masqueraded before often still have the director as their default route.",
    looked:
      "With --director and a --method other than masq, for IPv4: whether the route to the client that --client names, or else the default route, goes through the director: through the address that --director names, or through another address with the same hardware address. A routing rule for the virtual address counts. The settings of the director are not known here, so this is only likely: with accept_local, or without the virtual address (a service by firewall mark), it can pass them on.",
    cure: "Let answers go through another router, one that does not have the virtual address. If only the answers must do so, give them a table of their own: `ip route add default via ROUTER table 100`, then `ip rule add from VIP table 100`. Keep it in the configuration of the network. If there is no router but the director, use masquerading (-m).",
    sysctls: ["net.ipv4.conf.INTERFACE.accept_local"],
  },
  {
    id: "router-silent",
    severity: "error",
    title: "the router of the real server's answers does not answer",
    why: "With direct routing and tunneling a real server answers clients itself, through the router of its own route. If nothing answers ARP or neighbor discovery for that router, answers stay on this machine. Clients see connections time out. The router is off, its cable is out, its address moved to another machine, or the route names a wrong address.",
    looked:
      "With --director and a --method other than masq: the router of the route to the client that --client names, or else of the default route. Doctor asks for it for 2.5 seconds, as the kernel does for any neighbor. A router that is the director by its address is not asked.",
    cure: "Check the router and the interface that leads to it, or correct the route. Keep it in the configuration of the network.",
    sysctls: [],
  },
  {
    id: "client-not-neighbor",
    severity: "error",
    title: "the real server takes the clients' network for its own",
    why: "With direct routing and tunneling a real server answers clients itself. If a network of one of its interfaces, such as a bridge of containers, also contains the addresses of clients, the kernel looks for these clients there, and asks no router. Nobody answers, so the answers stay on this machine. Clients see connections time out. Clients in other networks are answered.",
    looked:
      "With a --method other than masq: the route of answers to the client that --client names, and to clients whose connections wait in SYN_RECV. If it leads by an interface directly, without a router, and requests of the director come in by another one, doctor asks for the client there for 2.5 seconds, as the kernel does for any neighbor. Clients that answer are in that network, and are no fault.",
    cure: "Give the interface another network, one that no clients have, also in its configuration. Or add a route to the clients' network through the router that reaches it, which must be smaller than that of the interface.",
    sysctls: [],
  },
  {
    id: "path-back-too-small",
    severity: "warning",
    title: "the network drops large packets of the real server",
    why: "The MTU of the server's interface is larger than what a switch or another interface on the way carries. It drops larger frames, and sends no message, because only routers do. Small answers arrive. Large datagrams are lost, and so are large TCP segments to clients with the same MTU. Clients with an MTU of 1500 ask for segments that fit, so it is only a warning. Requests in the other direction are as large as the MTU of the director: ipvsadm doctor --probe there tries them.",
    looked:
      "With --probe: an empty datagram and one as large as the MTU go to UDP port 33434 of the director with masquerading, else to the routers of answers. Without --method both are tried. It is a finding if the large ones get no answer and the small ones do (ICMP port unreachable), three times in turn. Then smaller sizes are tried. Many routers answer no datagrams; they are listed under Not checked.",
    cure: "If the network is meant to carry such packets, raise the MTU of the switch or the interface that drops them. Else lower the MTU here to what gets through, and keep that in the configuration of the network.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
