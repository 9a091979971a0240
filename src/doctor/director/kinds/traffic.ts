import type { Kind } from "../../finding.js";

const FIREWALL =
  "The rules of nft and of both variants of iptables, with their packet counts. Doctor walks them for the packets of each service, the SYN of a TCP connection and those after it: requests in PREROUTING and INPUT up to IPVS, the packets that IPVS sends to a real server in OUTPUT and POSTROUTING, and the answers of masqueraded servers in PREROUTING and FORWARD. It knows what connection tracking calls these packets. A rule that it cannot judge is listed under Not checked if it has matched packets.";

const TOO_BIG =
  "A tunnel adds a header to each packet (20 bytes for IP in IP), so the largest packets of clients do not fit. The same holds if the way to a real server has a smaller MTU than the way of clients. The director drops a packet that does not fit and must not be fragmented, and sends the client a message that names the largest size: ICMP fragmentation needed (type 3, code 4), or ICMPv6 packet too big (type 2). The message passes the director's own OUTPUT and POSTROUTING. Without it the client sends the same packet again and again: small requests work, and uploads hang. There are other ways: a route with `advmss` on each real server, so that its clients send smaller TCP segments, or for tunnels net.ipv4.vs.pmtu_disc 0, with which the director fragments IPv4 packets. That costs time, and many firewalls drop fragments.";

const TOO_BIG_LOOKED =
  "For each real server with a weight: the MTU of the route to it, less the header of its tunnel, compared with the MTU of the interfaces by which clients come in. If it is smaller: the rules of nft and of both variants of iptables for the message to the clients. With net.ipv4.vs.pmtu_disc 0 there are no messages for IPv4 in tunnels. Nothing is checked on a machine with only a backup sync daemon.";

const TOO_BIG_CURE =
  "Accept these messages in OUTPUT ahead of the rule, and add that to the configuration of the firewall: `--icmp-type fragmentation-needed` with iptables, `--icmpv6-type packet-too-big` with ip6tables. Echo requests and other ICMP can stay closed.";

/** Findings about what happens to packets on the director. */
export const TRAFFIC_KINDS = [
  {
    id: "firewall-blocks",
    severity: "error",
    title: "a firewall rule on the director stops the traffic of a service",
    why: "Requests pass the chains PREROUTING and INPUT before IPVS sees them, and OUTPUT and POSTROUTING after it. Answers of masqueraded servers pass FORWARD before IPVS puts the virtual address into them. A rule or a policy that drops them there breaks the service. Docker, for example, sets the policy of FORWARD to DROP. keepalived with vrrp_strict drops all packets to and from the virtual addresses of a vrrp_instance without `accept`. Rules by state are another common cause: without net.ipv4.vs.conntrack, connection tracking never calls a packet of IPVS established, and calls the first answer of a TCP connection invalid. With it, masqueraded servers work. With direct routing and tunneling it does not help: the answers do not pass the director, so connection tracking calls all packets after the SYN invalid.",
    looked: FIREWALL,
    cure: "Accept these packets ahead of the rule, and add that to the configuration of the firewall (with Docker: to the chain DOCKER-USER). If keepalived made the rule, put `accept` into the vrrp_instance, or remove vrrp_strict: keepalived sets the rule again each time it becomes master. If a rule stops the packets after the SYN, accept only those with ACK and without SYN, so that rules against scans still apply.",
    sysctls: ["net.ipv4.vs.conntrack"],
  },
  {
    id: "firewall-redirects",
    severity: "error",
    title: "a firewall rule sends requests elsewhere before IPVS sees them",
    why: "DNAT, REDIRECT and TPROXY in PREROUTING change the destination of a request. IPVS finds no service for the new destination, so the real servers get nothing.",
    looked: FIREWALL,
    cure: "Exempt the virtual service from the rule, or remove the rule.",
    sysctls: [],
  },
  {
    id: "source-limited",
    severity: "warning",
    title: "a limit for each source address stops requests now",
    why: "A firewall rule of the director that limits each source address (the matches recent, hashlimit and connlimit, or a set of nft with `limit rate over` or `ct count over`) cannot tell clients apart that come from one address: an office behind a NAT router, the customers of a mobile provider, a proxy. Together they exceed the limit of one, and some of their requests are dropped before IPVS sees them. It may as well be a flood that the rule is there for.",
    looked:
      "The rules of nft and of both variants of iptables that perhaps stop requests and limit by source address; also a DROP behind a rule that accepts what is within such a limit. If such a rule has matched packets, doctor reads its counter again for up to five seconds. It is reported if the counter grows, and listed under Not checked otherwise. A rule without a counter is not reported.",
    cure: "Find out who exceeds the limit: /proc/net/xt_recent, /proc/net/ipt_hashlimit and `nft list set` name addresses. If these are clients, raise the limit, or accept their address ahead of the rule (`-s ADDRESS … -j ACCEPT`), and add that to the configuration of the firewall.",
    sysctls: [],
  },
  {
    id: "too-big-message-blocked",
    severity: "error",
    title:
      "a firewall rule drops the messages that ask clients for smaller packets",
    why: TOO_BIG,
    looked: `${TOO_BIG_LOOKED} The kernel's counters must confirm it: it made such messages (IcmpOutDestUnreachs, or Icmp6OutType2), and the rule dropped packets. For IPv4 these must be as large as the messages, because the kernel counts other messages, too. Without that it is too-big-message-would-be-blocked.`,
    cure: TOO_BIG_CURE,
    sysctls: ["net.ipv4.vs.pmtu_disc"],
  },
  {
    id: "too-big-message-would-be-blocked",
    severity: "warning",
    title:
      "a firewall rule would drop the messages that ask clients for smaller packets",
    why: TOO_BIG,
    looked: `${TOO_BIG_LOOKED} No counter shows that it has dropped one.`,
    cure: TOO_BIG_CURE,
    sysctls: ["net.ipv4.vs.pmtu_disc"],
  },
  {
    id: "too-big-answer-blocked",
    severity: "error",
    title:
      "a firewall rule drops the messages that ask real servers for smaller packets",
    why: "If a link on the way to a client has a smaller MTU than the real servers (PPPoE, a VPN), its router drops their large packets and sends a message that names the largest size: ICMP fragmentation needed (type 3, code 4), or ICMPv6 packet too big (type 2). Answers come from the virtual address, so the message goes to the director, also with direct routing and tunneling. IPVS sends it on to the real server. If the director's firewall drops it, the server sends the same packet again and again: small answers arrive, and downloads hang, only for these clients. A rule for RELATED does not accept the message unless net.ipv4.vs.conntrack is 1, because IPVS takes its packets out of connection tracking.",
    looked:
      "For TCP services: the rules of nft and of both variants of iptables in PREROUTING and INPUT, for such messages to the virtual address. It is likely if the rule is for ICMP and the packets that it has dropped are as large as these messages. Other rules and policies, those that have dropped no such packets, and those without counters are listed under Not checked, because doctor does not know the links to clients. Nothing is checked on a machine with only a backup sync daemon.",
    cure: "Accept these messages in INPUT ahead of the rule, and add that to the configuration of the firewall: `--icmp-type fragmentation-needed` with iptables, `--icmpv6-type packet-too-big` with ip6tables. Echo requests and other ICMP can stay closed. The real servers' own firewalls must accept them, too.",
    sysctls: ["net.ipv4.vs.conntrack"],
  },
  {
    id: "mark-unset",
    severity: "error",
    title: "no firewall rule sets the mark of a service",
    why: "A service by firewall mark gets the packets that carry its mark. If no rule in PREROUTING or INPUT sets the mark, the service gets no packets, and requests are treated as any others.",
    looked:
      "The rules of nft and of both variants of iptables: whether one sets this mark, or a mark that is not known beforehand (CONNMARK). A chain of nft at hook input with priority 98 or later does not count, because IPVS comes first. Marks that tc sets are not seen. If no rule sets it: the rules that set, for addresses of this machine, a mark that no service has and no routing rule selects. Such a rule is meant for the service if its mark has the same digits, one of them read as hexadecimal (iptables-save and nft print marks in hexadecimal, ipvsadm reads and prints them in decimal), or if only one such mark and one such service are there.",
    cure: "Add a rule to the table mangle, chain PREROUTING, that sets the mark for the virtual address and port, or correct the rule that sets another mark, and keep it in the configuration of the firewall.",
    sysctls: [],
  },
  {
    id: "mark-unmatched",
    severity: "error",
    title: "the rule that sets the mark of a service cannot match requests",
    why: "A service by firewall mark gets only the packets that carry its mark. Requests that do not match the marking rule get no mark. This machine handles them as any others: if the address is its own and no program listens there, clients see their connections refused.",
    looked:
      "The rules of nft and of both variants of iptables that set the mark in PREROUTING or INPUT, if none of them has counted a packet: whether they name an interface by which no client is reached (the interfaces with the address of the rule or its network, and the default route), or a single destination that is not an address of this machine. A wrong port or protocol cannot be seen: compare them with the clients.",
    cure: "Correct the interface or the address of the rule, and keep it in the configuration of the firewall. If clients can come in by several interfaces, leave the interface out: the destination is enough.",
    sysctls: [],
  },
  {
    id: "mark-overwritten",
    severity: "error",
    title: "another rule changes the mark of a service",
    why: "A packet has one mark. MARK does not end the walk through a chain, so a later rule that sets a mark for other purposes, such as shaping or routing, replaces the mark of the service before IPVS sees it. A rule that sets only some bits (a mask: `--set-xmark 1/0xff`, `--or-mark`) keeps the other bits of an earlier rule, and IPVS compares the whole mark. The service gets no packets, and this machine handles the requests as any others: if the address is its own and no program listens there, clients see their connections refused.",
    looked:
      "The rules of nft and of both variants of iptables that set marks in PREROUTING and INPUT, in the order in which packets meet them: whether a packet that gets the mark also gets to a later rule that changes it, past ACCEPT and RETURN, and reaches IPVS with another mark; and whether the rule of the service keeps bits that an earlier rule has set. It is proven if that is certain for each rule that sets the mark, else likely. A rule that has matched no packet is not reported, and nothing is reported while the service gets packets.",
    cure: "Set the whole mark of the service last, without a mask: IPVS compares the whole mark, so bits for other purposes cannot be added to it. Keep that in the configuration of the firewall.",
    sysctls: [],
  },
  {
    id: "mark-not-local",
    severity: "error",
    title: "packets with the mark of a service are not local",
    why: "IPVS handles packets that are for the machine itself. A firewall mark alone does not make them so: the destination must be an address of this machine, or a routing rule must send packets with the mark to a table with a local route. Otherwise this machine forwards or drops the packets, and IPVS never sees them. Such routes and rules are often lost at a restart of the machine or of its network.",
    looked:
      "The destinations of the rules that set the mark in PREROUTING (single addresses and blocks), and the kernel's route for packets with the mark to them, as `ip route get ADDRESS mark MARK` shows it. Nothing is reported if an address of a block is local: up to 256 addresses of a block are tried, and this machine's own addresses in it. Doctor asks for at most 512 routes; destinations beyond them are not judged. It is proven if the rule has counted packets and the service never got one, else likely. Rules without a destination have no address to check. Nothing is reported while the service gets packets, or on a machine with only a backup sync daemon.",
    cure: "Make the destination local: add the local route that is missing, to the table of the routing rule for the mark if there is one, or add the addresses to an interface. Add it to the network's configuration as well. Where the addresses move between directors (keepalived, VRRP), first check which of them must have them now.",
    sysctls: [],
  },
  {
    id: "backup-only-active",
    severity: "error",
    title: "backup_only turns IPVS off on a director that is active",
    why: "With net.ipv4.vs.backup_only a machine whose sync daemon is a backup balances nothing. If the virtual address is on this machine, requests arrive here, no program listens, and clients see their connections refused.",
    looked:
      "The setting net.ipv4.vs.backup_only, the sync daemons, and whether an interface that answers ARP or neighbor discovery has a virtual address.",
    cure: "On the active director, stop the backup daemon and start the master. keepalived does that when it takes over (lvs_sync_daemon). Without it, set backup_only to 0.",
    sysctls: ["net.ipv4.vs.backup_only"],
  },
  {
    id: "server-refuses",
    severity: "error",
    title: "a masqueraded real server refuses requests",
    why: "The machine that the director reaches answers each request with a reset, or with an ICMP message if it is UDP: no program listens at its address and port, a program listens there only for other addresses (such as 127.0.0.1), a firewall rejects the request, or another machine has the address as well and answers instead of the server. The scheduler does not notice, and gives the server its share of the connections.",
    looked:
      "The counters of each masqueraded server of a TCP service, since it was added and per second: about one packet in and one packet out for each connection, and no packet larger than a TCP header with its options. Three connections are enough, and two if another address has the same hardware address as the server. With --probe also whether the server refuses a connection from the director's address, or an empty datagram (ICMP port unreachable) for a UDP service. Only --probe finds it with UDP, and only --probe proves it. It is only likely if the server sends more than refusals meanwhile: then it serves clients, and perhaps refuses only the director. For a firewall mark, a refused connection proves it only if the rules that set the mark, or the connections of the service, show TCP alone.",
    cure: "Run `ipvsadm doctor --real-server` on that server, as printed, and repair what it finds: start the program, let it listen at the server's address, correct the port, or remove the address from another machine that has it too. If the server refuses its clients, take it out until then; --probe prints the commands if it proves that. With weight 0 it gets no new connections; UDP clients that keep their port stay with it, so there it has to be removed, with net.ipv4.vs.expire_nodest_conn at 1. The schedulers sh and dh refuse the clients of a server with weight 0, so there it has to be removed as well. That hides the fault and does not repair it. A health checker such as keepalived does that automatically.",
    sysctls: [],
  },
  {
    id: "service-shadowed",
    severity: "warning",
    title: "a firewall mark gives the packets of a service to another one",
    why: "For each new connection IPVS first looks for a service with the firewall mark of the packet, and only then for one with its address and port. If a rule marks the packets of a service and there is a service with that mark, the service with the address gets no connections: its servers, weights and scheduler have no effect.",
    looked:
      "The rules of nft and of both variants of iptables: which mark the requests to each service have when IPVS sees them, and whether a service has that mark. A rule that doctor cannot judge is not considered.",
    cure: "Decide which of the two services is meant. Remove the other one, or let the rule mark only packets to other addresses and ports.",
    sysctls: [],
  },
  {
    id: "server-hangs",
    severity: "error",
    title: "a masqueraded real server does not end its connections",
    why: "When a client closes a connection, the program on the server closes its side as well. Here the server's kernel confirms that the client has closed, and the program does nothing: it hangs, is stopped, or does not accept the connection at all. Its kernel still completes new connections for a while, so the scheduler and checks that only connect notice nothing. Clients see a connection, and no answer.",
    looked:
      "The connection table: connections of a masqueraded server with a weight that wait in CLOSE_WAIT, the oldest for three seconds or longer, if none has been closed by both sides or reset meanwhile. Nothing is reported on a machine with only a backup sync daemon. Three are enough, and two if another server of the service has ended connections meanwhile. It is only likely: some programs still send data for a long time after the client has closed its side.",
    cure: "Run each command above on its server: it tells whether the program accepts connections.",
    sysctls: [],
  },
  {
    id: "server-probe-failed",
    severity: "error",
    title:
      "a real server does not accept a connection from the director's address",
    why: "The director could not connect to the address and port of the server. The scheduler does not notice, and gives the server its share of the connections.",
    looked:
      "With --probe: a TCP connection from the director to each real server with a weight. It is closed as soon as it stands. With masquerading it goes where requests go, so it proves the fault, unless the server sends more than refusals to clients meanwhile: then a firewall perhaps stops only the director's address, and the finding is likely. With direct routing and tunneling it goes to the server's own address, and requests go to the virtual address: a program that listens only at the virtual address refuses this connection and works all the same. So a refusal there is no finding, and is listed under Not checked. For UDP services an empty datagram is sent, twice. Datagrams never lead to this finding: a refusal (ICMP port unreachable) is reported as server-refuses, or with direct routing and tunneling under Not checked. No answer says nothing, because a program need not answer an empty datagram. Other errors can come from a firewall on the director itself. Both are listed under Not checked. Servers with weight 0 that still have connections are tried as well. With net.ipv4.vs.nat_icmp_send=1 masqueraded servers are not tried, because the director then drops what they send outside of a connection of IPVS.",
    cure: "Run `ipvsadm doctor --real-server` on that server, as printed.",
    sysctls: [],
  },
  {
    id: "clients-beside-server",
    severity: "error",
    title: "masqueraded servers answer clients in their own network directly",
    why: "A masqueraded server must send its answers through the director. To a client in its own network it has a direct route, which is more specific than the default route. The client gets an answer from an address that it never asked, and drops it.",
    looked:
      "The connection table: clients that wait in SYN_RECV, and whether a network of the director has both the client and the server.",
    cure: "Translate the client's address as well (SNAT, with net.ipv4.vs.conntrack=1), or give the server a host route to each such client through the director, and set send_redirects to 0 on the director.",
    sysctls: [
      "net.ipv4.vs.conntrack",
      "net.ipv4.conf.INTERFACE.send_redirects",
    ],
  },
  {
    id: "snat-address-elsewhere",
    severity: "error",
    title: "SNAT gives requests a source to which no answer comes back",
    why: "With SNAT in addition to masquerading (full NAT), a real server sees the address of the SNAT rule instead of the client's. It sends its answers there. If the director does not have that address, no answer comes back, and clients see connections time out.",
    looked:
      "With net.ipv4.vs.conntrack=1: the SNAT rules in POSTROUTING that requests to masqueraded servers meet. Their address is in the network of the servers, and no address of this machine. Backups, virtual addresses of another machine and interfaces with proxy_arp are not examined. It is proven if the rule has counted packets.",
    cure: "Change --to-source to the director's address in the servers' network, also in the firewall's configuration. If the address moves between two directors, add it on the active one instead. The routes of the servers need no change: their default route may lead elsewhere.",
    sysctls: ["net.ipv4.vs.conntrack"],
  },
  {
    id: "redirects-followed",
    severity: "error",
    title: "masqueraded servers follow redirects past the director",
    why: "If an answer comes in and leaves by the same interface, the kernel sends an ICMP redirect: the server learns to reach the client, or the next router, directly. Its answers then go past the director with the server's own address, and the client drops them or resets the connection. Connections hang or are never opened, while a few requests still work, until the server forgets what it learned.",
    looked:
      "As for redirects-sent, and in addition connections of these servers that have waited in SYN_RECV for three seconds or more, at least two of them, while these servers have answered through the director before. It is only likely, because the answers can be missing for another reason: the command under Next looks for it on the server.",
    cure: "Set send_redirects to 0 for all and for the interface, and keep it so in /etc/sysctl.d. On every server behind the interface flush what it has learned.",
    sysctls: [
      "net.ipv4.conf.all.send_redirects",
      "net.ipv4.conf.INTERFACE.send_redirects",
    ],
  },
  {
    id: "redirects-sent",
    severity: "warning",
    title: "the director teaches masqueraded servers a way past it",
    why: "If an answer comes in and leaves by the same interface, the kernel sends an ICMP redirect: the server learns to reach the client directly. Its next answers go past the director, and the client drops them. The first requests still work. Later ones get no answer: with UDP the datagrams are lost, with TCP connections hang or are never opened.",
    looked:
      "Whether the interface to a masqueraded server also leads to one of its clients or has its virtual address, and send_redirects: it is on if it is on for all or for the interface. If connections of these servers wait for an answer, the finding is redirects-followed.",
    cure: "Set send_redirects to 0 for all and for the interface, and keep it so in /etc/sysctl.d. On every server behind the interface flush what it has learned.",
    sysctls: [
      "net.ipv4.conf.all.send_redirects",
      "net.ipv4.conf.INTERFACE.send_redirects",
    ],
  },
  {
    id: "drained-server-dead",
    severity: "error",
    title: "clients are still sent to a drained server that does not answer",
    why: "Weight 0 keeps new connections away from a server. Packets of connections that exist still go there, and each of them renews the entry. A UDP client that keeps its port therefore never gets another server. With persistence even new connections of the bound clients go there. expire_nodest_conn does not apply, since the server is still in the table.",
    looked:
      "Servers with weight 0 that have connections or persistence templates and do not answer: ARP or neighbor discovery gets no answer, or the server refuses a probe (--probe, masquerading). That proves it, with three exceptions. A refused TCP connection proves nothing while connections are open: a program that drains closes its listener and serves its open connections to the end. A refused datagram proves nothing while the server sends more than refusals. A refused connection proves nothing for a firewall mark that may have UDP. It is likely if none of its TCP connections is open and those of the last ten seconds were all reset (CLOSE), or if packets go to the server now and none comes back (masquerading, packets per second); with UDP and firewall marks only if a server of the service has sent answers, because protocols such as syslog have none.",
    cure: "Set expire_nodest_conn to 1 and remove the server: the next packet of each connection gets another server. For persistence, expire_quiescent_template is enough.",
    sysctls: [
      "net.ipv4.vs.expire_nodest_conn",
      "net.ipv4.vs.expire_quiescent_template",
    ],
  },
  {
    id: "drained-server-used",
    severity: "note",
    title: "UDP clients stay with a drained server",
    why: "Weight 0 keeps new connections away from a server. Datagrams from a client port that IPVS knows still go there, and each of them renews the entry. A client that keeps its port, such as a resolver, therefore stays as long as it sends. If the program on the server is stopped, such a client gets no answer, and other clients do.",
    looked:
      "Masqueraded, direct and tunneled servers with weight 0 of UDP services, and their entries in the connection table. Whether the answers are refusals (ICMP) only --probe shows. Without any answers the server is perhaps dead, or the protocol has none (syslog, statsd).",
    cure: "Keep the program running until the entries are gone (`ipvsadm wait` waits for that). Or move the clients now: set net.ipv4.vs.expire_nodest_conn to 1 and remove the server. The next datagram of each client then gets another server.",
    sysctls: ["net.ipv4.vs.expire_nodest_conn"],
  },
  {
    id: "idle-connections-expire",
    severity: "note",
    title: "idle TCP connections expire before the usual keepalive",
    why: "IPVS forgets a TCP connection after the timeout for idle connections, 15 minutes by default. TCP keepalive sends its first packet after 2 hours by default. A connection that is idle for longer than the timeout breaks: its next packet is dropped or answered with a reset.",
    looked:
      "The timeout for TCP, and whether an established connection has been idle for more than half of it.",
    cure: "Raise the timeout above the longest keepalive of the clients, or lower the keepalive of clients or servers below the timeout. Entries of clients that vanished stay for as long.",
    sysctls: [],
  },
  {
    id: "timeout-short",
    severity: "warning",
    title: "a timeout is so short that idle connections are lost",
    why: "IPVS forgets a connection if no packet comes for the time of its timeout. The next packet of the client then finds no connection, and a TCP connection breaks, with every forwarding method. With masquerading, an answer for which the server needs longer is not translated either, and the client gets nothing; that is all that breaks with UDP, because a datagram without an entry is scheduled again. With direct routing and tunneling, UDP answers do not pass the director: a short timeout then only gives a client another server after a pause. The timeouts hold for all services.",
    looked:
      "The timeouts that `ipvsadm -L --timeout` prints: TCP below 60 seconds if there is a TCP service, UDP below 5 seconds if there is a UDP service with a masqueraded server. A service by firewall mark counts for both. A UDP service with one-packet scheduling does not count, nor one whose datagrams all come from one client port (udp-pinned): a longer timeout would bind that client for longer. For TCP it is idle-connections-expire instead if a connection is idle now.",
    cure: "Set the timeout to the kernel's default, 900 seconds for TCP and 300 for UDP, or longer: choose it above the longest silence of clients and the slowest answer. A longer UDP timeout also keeps a client that always sends from the same port with its server for longer. Keep it in TIMEOUTS of /etc/default/ipvsadm, which ipvsadm.service of this project reads, in an ExecStartPost= of another unit, or in keepalived's lvs_timeouts, and correct what sets it at boot now.",
    sysctls: [],
  },
  {
    id: "connections-at-limit",
    severity: "error",
    title: "a connection table is full",
    why: "At its limit the kernel drops new connections. Established ones go on.",
    looked:
      "The number of entries and net.ipv4.vs.conn_max (newer kernels). Also those of connection tracking, and net.netfilter.nf_conntrack_max: connection tracking sees requests before IPVS does, also with net.ipv4.vs.conntrack 0, and drops those of new connections if its table is full.",
    cure: "Raise the limit, if memory allows. Look for clients that leave many connections behind, and for timeouts that are too long.",
    sysctls: ["net.ipv4.vs.conn_max", "net.netfilter.nf_conntrack_max"],
  },
  {
    id: "connections-near-limit",
    severity: "warning",
    title: "a connection table is almost full",
    why: "At its limit the kernel drops new connections.",
    looked: "The same as for connections-at-limit: 90 % or more of the limit.",
    cure: "Raise the limit, if memory allows. Look for clients that leave many connections behind, and for timeouts that are too long.",
    sysctls: ["net.ipv4.vs.conn_max", "net.netfilter.nf_conntrack_max"],
  },
  {
    id: "address-any",
    severity: "error",
    title: "a service has no address of its own",
    why: "IPVS compares the address of a packet with that of each service. 0.0.0.0 and :: are no wildcards: no packet has them as its destination, so the service gets none.",
    looked: "The table: services with the address 0.0.0.0 or ::.",
    cure: "Add a service for each virtual address, or mark the packets in the firewall and add a service by firewall mark.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
