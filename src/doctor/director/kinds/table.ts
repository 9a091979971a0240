import type { Kind } from "../../finding.js";

/** Findings about the table itself. */
export const TABLE_KINDS = [
  {
    id: "empty-table",
    severity: "warning",
    title: "there is no virtual service",
    why: "The table is only in the kernel. After a boot, or after the module was loaded again, it is empty, and nothing is balanced.",
    looked:
      "The table. Real servers have none: if a virtual address with a prefix length of 32 (128 for IPv6) is on lo, if a tunnel is up, or if there is no /etc/ipvsadm.rules, no command is printed.",
    cure: "On a director, restore the saved rules; a real server must not have them. The systemd service ipvsadm, or a health checker such as keepalived, does that at every boot.",
    sysctls: [],
  },
  {
    id: "no-scheduler",
    severity: "error",
    title: "a service has no scheduler",
    why: "Without a scheduler no real server is chosen: every new connection is refused, whatever servers there are.",
    looked: "The table: services whose scheduler is none.",
    cure: "Give the service a scheduler.",
    sysctls: [],
  },
  {
    id: "no-servers",
    severity: "error",
    title: "a service has no real server",
    why: "IPVS takes the packets of a virtual service before any program on the machine gets them. Without a real server it refuses them (ICMP port unreachable), so clients see their connections refused, even if a program on the director listens at that port.",
    looked: "The table: services without a real server.",
    cure: "Add a real server, or remove the service.",
    sysctls: [],
  },
  {
    id: "all-drained",
    severity: "error",
    title: "every real server of a service has weight 0",
    why: "A real server with weight 0 gets no new connections; this is how a server is drained. If all servers of a service have weight 0, every new connection is refused. Established connections go on, and so do clients that persistence binds to a server.",
    looked: "The table: services all of whose real servers have weight 0.",
    cure: "Give a working real server a weight.",
    sysctls: [],
  },
  {
    id: "all-overloaded",
    severity: "error",
    title: "every real server of a service is at its upper threshold",
    why: "A real server with as many connections as its upper threshold (established or not) gets no new ones until they drop below the lower threshold. If this is true of all servers that are not drained, every new connection is refused.",
    looked:
      "The table: services in which no server takes connections, and at least one has as many connections, active and inactive, as its upper threshold.",
    cure: "Add real servers, give a drained one a weight, or raise the threshold if the server can handle more. If the connections all wait for an answer (SYN_RECV), the cause is on the server, and a higher threshold does not help. Connections that have ended count until they expire: look for clients that leave many of them behind.",
    sysctls: [],
  },
  {
    id: "ports-merged",
    severity: "error",
    title: "a real server gets several ports of clients at one port",
    why: "A service by firewall mark can have several ports. With port 0, a masqueraded real server gets each request at the port that it is for. With a port of its own it gets all of them there: a request with TLS reaches a program that expects plain HTTP. Clients fail each time the scheduler chooses this server.",
    looked:
      "Services without a port and without persistence, with masqueraded servers of both kinds: with port 0 and with another one. The service has several ports if connections or the rules that set its mark name more than one. With persistence IPVS keeps the port in any case; direct routing and tunneling never change it.",
    cure: "Add the server again with port 0, then delete the one with the port: its connections end.",
    sysctls: [],
  },
  {
    id: "port-fixed",
    severity: "warning",
    title: "a real server of a service for several ports has one port",
    why: "A service by firewall mark can have several ports. With port 0, a masqueraded real server gets each request at the port that it is for. With a port of its own it gets all of them there, whatever port the client asked for. For a service with one port that is right.",
    looked:
      "Services without a port and without persistence: masqueraded servers with a port beside others with port 0, while nothing tells which ports the service has. If connections or the rules that set the mark name several, the finding is ports-merged.",
    cure: "If the service is for several ports, add the server again with port 0, then delete the one with the port: its connections end.",
    sysctls: [],
  },
  {
    id: "server-starved",
    severity: "warning",
    title: "a weight is so small that its real server gets almost nothing",
    why: "Weights are relative to each other. A server with a twentieth of an even share, or less, is idle while the others do its work. Mostly this is a number that was forgotten when others changed their scale.",
    looked:
      "The table: services with a scheduler that uses weights (wrr, wlc, lblc, lblcr, sed, sh, mh), and the part of all effective weights that each server has. Weight 0 is a drain and is not reported.",
    cure: "Give it a weight in proportion, or 0 if it must get nothing.",
    sysctls: [],
  },
  {
    id: "weights-ignored",
    severity: "note",
    title: "weights differ, but the scheduler ignores them",
    why: "Round robin (rr) and least connections (lc) only check whether a weight is 0. A small server gets as much as a large one.",
    looked:
      "The table: services with rr or lc whose servers have different weights other than 0.",
    cure: "Use the scheduler that respects weights: wrr instead of rr, wlc instead of lc.",
    sysctls: [],
  },
  {
    id: "scheduler-pins",
    severity: "warning",
    title: "the scheduler gives almost all connections to one real server",
    why: "The schedulers dh, lblc and lblcr choose a server by the destination of requests. They are for caches, where a firewall mark stands for many destinations. A service with one virtual address has one destination. With dh one server gets everything, and the others are idle; with lblc and lblcr they get something only if that server is overloaded. sh and mh choose by the client's address: if clients come through a proxy or a carrier with one address for all, they get one server.",
    looked:
      "The table: services with dh, an address of their own and at least two servers that take connections. With lblc and lblcr, and with sh and mh without their flags for ports: also at least 20 connections, nine tenths of them at one server whose weight does not explain it. With sh and mh it is only likely, because few clients can be at one server by chance.",
    cure: "Choose another scheduler, such as wlc or wrr. If clients must keep their server, add persistence (-p).",
    sysctls: [],
  },
  {
    id: "udp-pinned",
    severity: "warning",
    title: "one UDP client port binds most datagrams to one real server",
    why: "IPVS takes all datagrams from one address and port for one connection, and gives them to one real server. Each datagram renews the entry, so a client that always sends from the same port, such as a telephone exchange (SIP, port 5060), a syslog relay or a resolver, keeps its server as long as it sends. The other servers get nothing. Another scheduler or another timeout does not change that.",
    looked:
      "UDP services with an address of their own, at least two servers that take connections, and the scheduler rr, wrr, lc, wlc, sed, nq or twos, without one-packet scheduling and persistence. They have at most three entries in the connection table, all of one client. Nine tenths of the datagrams go to one server whose weight does not explain it: of at least 5 between two readings, up to five seconds apart, or of at least 20 in at most three connections since the servers were added. It is only likely, because datagrams that belong together must stay with one server.",
    cure: "If each datagram can go to another server, turn one-packet scheduling on (-o) with rr or wrr: without entries, lc, wlc, sed and nq find all servers equally idle and choose the same one each time. Entries that exist stay until the UDP timeout passes without a datagram: a client that never pauses for so long keeps its server, so stop it for that time. If servers must remember earlier datagrams, as with SIP dialogs, QUIC, DTLS or a VPN, -o is wrong: have the client send from several ports instead. With masquerading -o cannot be used.",
    sysctls: [],
  },
  {
    id: "one-packet-masqueraded",
    severity: "error",
    title:
      "one-packet scheduling leaves the answers of masqueraded servers untranslated",
    why: "With one-packet scheduling (-o) a datagram leaves no entry in the connection table. IPVS then does not know the answer of a masqueraded server, and does not put the virtual address into it. The answer reaches the client from the address of the real server, and the client drops it.",
    looked:
      "Services with -o that have masqueraded servers with a weight on other machines, if no rule of the firewall translates the source of their answers in POSTROUTING. It is only likely, because some clients expect no answer, as with syslog or NetFlow. Services with a persistence engine (--pe sip) are not reported: IPVS translates the packets of their servers.",
    cure: "Turn one-packet scheduling off, or use direct routing or tunneling, where answers do not pass the director. A rule of SNAT that gives answers the virtual address also helps.",
    sysctls: [],
  },
  {
    id: "server-on-loopback",
    severity: "error",
    title: "a masqueraded real server has a loopback address",
    why: "The kernel does not let packets from the network through to a loopback address such as 127.0.0.1. With masquerading the request would get that address as its destination, so IPVS drops it. Clients see connections time out. With direct routing (-g) the destination stays, and a local program at the virtual address gets the request.",
    looked:
      "The table: masqueraded servers (-m) with a weight and an address in 127.0.0.0/8, or ::1. It is only likely if the server has answered: programs of this machine reach it. A service with a loopback address of its own is not reported.",
    cure: "Give the server an address of this machine at which the program listens. Or use -g: requests keep the virtual address and its port, where a program must listen.",
    sysctls: [],
  },
  {
    id: "local-server-unheard",
    severity: "error",
    title:
      "no program on this machine gets the requests of a local real server",
    why: "A real server with an address of the director is the director itself, for example to show a page while all others are down. The scheduler gives it its share of the connections. If no program listens there, clients see them refused.",
    looked:
      "For each server with a weight and a local address: listening TCP sockets and unconnected UDP sockets in /proc/net, with masquerading at the address and port of the server, otherwise at those of the service, if its address is local. If another machine has the address of the server, and it is also a virtual address, the finding is vip-of-server.",
    cure: "Start the program on this machine, and let it listen at any address, or at the address that is named. With direct routing that is the virtual address, because a local packet keeps its destination. Until then give the server weight 0. If the server is meant to be another machine, and its address is not the main one of an interface of this machine, remove it here: `ip address del`.",
    sysctls: [],
  },
  {
    id: "persistence-pins",
    severity: "warning",
    title: "persistence gives almost all connections to one real server",
    why: "With persistence a client stays with its server. If the mask ignores a part of the client addresses, or clients come through a proxy or a carrier with one address for all, most of them look like one client and get one server.",
    looked:
      "The table: persistent services with at least 20 connections, nine tenths of them at one server whose weight does not explain it.",
    cure: "Tell clients apart by their whole address. If they really come from few addresses, turn persistence off, or store sessions where all servers find them. A service with port 0 (all ports) needs persistence: add a service for each port in use, then remove it. Old connections count until they expire, so the finding can stay for some minutes.",
    sysctls: [],
  },
  {
    id: "persistence-split",
    severity: "warning",
    title: "clients are at different real servers at ports of one address",
    why: "Services with the same virtual address and the same real servers are each persistent by themselves. A client gets a real server for each of them, independently of the others. What the servers know of a client, such as a login or a basket, is then missing at the other port.",
    looked:
      "The persistence templates of services with the same virtual address, the same netmask and at least two real servers, the same ones: clients whose templates name different servers at the same time. Drained servers (weight 0) do not count, nor do services with a persistence engine, and FTP (TCP ports 20 and 21), whose connections the kernel keeps together. It is no fault if the servers share their sessions, or if the services have nothing to do with each other. Nothing is reported once a persistent service by firewall mark has the same real servers and rules give its mark to the packets of these services: old templates are left for a while.",
    cure: "Make them one service by firewall mark, with persistence: a rule of the firewall gives the packets to all of these ports the same mark. `ipvsadm setup RULES --mark MARK=SERVICE` prints such a rule. If all ports of the address go to the same servers, one persistent service with port 0 is enough.",
    sysctls: [],
  },
  {
    id: "persistence-per-port",
    severity: "note",
    title: "persistence does not join ports of one address",
    why: "Services with the same virtual address and the same real servers are each persistent by themselves. A client gets a real server for each of them, independently of the others: it can be at one server for HTTP and at another for HTTPS. That matters if a session (login, basket) uses both and is known to one server only.",
    looked:
      "The table: services with the same virtual address, the same netmask and at least two real servers, the same ones, at least two of them with a weight. Nothing is reported if the scheduler chooses the server by the client's address (sh and mh without their flags for ports, dh), if ten or more clients have templates of several services and all are at one server each, for FTP (TCP ports 20 and 21) and persistence engines, or once a service by firewall mark gets the packets of these services. persistence-split is reported instead if the templates prove it.",
    cure: "If clients need the same server at these ports, make them one service by firewall mark, with persistence. If all ports of the address go to the same servers, one persistent service with port 0 is enough. Otherwise nothing has to be changed.",
    sysctls: [],
  },
  {
    id: "ftp-helper-missing",
    severity: "warning",
    title: "the director does not handle the data connections of FTP",
    why: "FTP sends each file and each listing through a connection of its own. Client and server agree on its address and port by commands in the connection to port 21: the client connects to a port of the server (passive: PASV, EPSV), or the server connects to the client (active: PORT, EPRT). With masquerading the server names its own address, and a port for which there is no service. The module ip_vs_ftp reads these commands, puts the virtual address into them, and adds an entry for the data connection, for this client and this server. The kernel does not load it by itself. Without it clients log in, and each listing and each file fails. It cannot read commands that are encrypted (FTPS). It handles IPv6, EPSV and EPRT since Linux 4.18.",
    looked:
      "The TCP services with masqueraded servers whose own port or that of a server is 21, and the ports of ip_vs_ftp in this network namespace: /proc/net/ip_vs_app, or else the parameter ports of the module. It is only likely, because a port does not tell what a program speaks. Services by firewall mark and services for all ports are not examined. Nothing is reported if another way is prepared: persistence at port 21, with which the kernel gives a client's connections to ports from 1024 on to the same server, or, with the same servers, several services at such ports, or a service by firewall mark whose mark rules set for such ports. Nothing is reported on a machine with only a backup sync daemon.",
    cure: "Load ip_vs_ftp, with the parameter `ports` if the port is not 21, and keep it in /etc/modules-load.d and /etc/modprobe.d. Only new connections to port 21 are handled. At another port, answers to PASV are changed only if connection tracking is on, which a firewall rule with `-m conntrack` does. If the servers have a firewall, it must accept passive data connections: set a range of ports in the FTP server and open it. For FTPS let the FTP servers name the virtual address, and make the service persistent. If the service is not FTP, nothing has to be changed.",
    sysctls: [],
  },
  {
    id: "ftp-not-persistent",
    severity: "warning",
    title: "data connections of FTP have no real server",
    why: "FTP sends each file and each listing through a connection of its own, to a port that the server chooses (passive) or from port 20 of the server (active). With direct routing and tunneling the director does not see the answers in which the server names the port. If the service at port 21 is persistent, the kernel gives all TCP connections of a client to port 20 and to ports from 1024 on to the server at which the client has logged in. Without persistence there is no service for them: clients log in, and the director refuses their data connections.",
    looked:
      "The TCP services at port 21 that have servers with direct routing or tunneling and are not persistent. It is only likely, because a port does not tell what a program speaks. Nothing is reported if, with the same servers, there are several services at ports from 1024 on, or a service by firewall mark whose mark rules set for such ports, or on a machine with only a backup sync daemon.",
    cure: "Make the service persistent, for longer than a client is idle between two files. A service for all ports does not help: the kernel looks for the service at port 21 first. If the servers have a firewall, it must accept passive data connections: set a range of ports in the FTP server and open it. If the service is not FTP, nothing has to be changed.",
    sysctls: [],
  },
  {
    id: "ftp-ports-unmatched",
    severity: "warning",
    title: "no data connection of FTP gets the mark of its service",
    why: "A service by firewall mark gets the packets to which rules give its mark: for FTP those to port 21, and those to the ports that the FTP servers choose for passive data connections. If the servers choose other ports than those of the rules, for example after an update or a change of their configuration, data connections have no mark. No service takes them, and the director refuses them: clients log in, and each listing and each file fails.",
    looked:
      "The services by firewall mark with a rule for TCP port 21 that has matched 25 packets or more, and other rules only for ports from 1024 on, none of which has matched a packet. It is only likely: perhaps clients only log in, as a monitor does, or all data connections are active, or the rules for data ports are newer. Nothing is reported if a rule is also for port 20, if the servers have connections at port 20 or at ports from 1024 on, if ip_vs_ftp handles port 21 and a server is masqueraded, if rules could not be read, or on a machine with only a backup sync daemon.",
    cure: "Find out which ports the FTP servers use for passive data connections. `ipvsadm doctor --client` shows them if no rule marks them. Give the FTP servers a fixed range within the ports of the rules (vsftpd: `pasv_min_port` and `pasv_max_port`; ProFTPD: `PassivePorts`; Pure-FTPd: `-p`), or extend the ports of the rules.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
