import type { Kind } from "../../finding.js";

const LOOKED =
  "The connection table: at least three connections of a server with a weight wait in SYN_RECV, and all of them began after the last packet of any connection that got further. If all servers of a service are alike, three connections of them together are enough. Two are enough if another server of the service, none of whose connections waits, answers meanwhile, and the last packet of one of the two is at least three seconds old; not with firewall marks, not with persistence and not with the schedulers sh and mh, which keep a client with its server. A server that answers only some requests is reported if this machine is a real server of the service as well: it can be a second director that balances requests again. Then at least two connections wait, for three seconds or more; they are at least a quarter of the server's connections; no other server has any that wait; and the server has answered none two seconds after the last of them. This is not done with masquerading and firewall marks. Faults that have findings of their own are reported there: a firewall rule on the director, a client in the network of the server, an SNAT rule that does not see the requests, a server that does not answer ARP.";

/** Findings about connections that get no answer. */
export const CONNECTION_KINDS = [
  {
    id: "snat-unseen",
    severity: "error",
    title: "the SNAT rule of a service does not see its packets",
    why: "With full NAT a rule of the director gives requests an address of the director as their source, so that answers come back to it from anywhere. With net.ipv4.vs.conntrack 0 IPVS takes its packets out of connection tracking, and no rule of the table nat sees them. The real servers get requests with the clients' own addresses, and send answers by their own routes, past the director. Clients drop such answers, and on the director connections wait in SYN_RECV.",
    looked:
      "The rules with the match ipvs and the target SNAT or MASQUERADE that fit requests to masqueraded servers, net.ipv4.vs.conntrack, and the connection table, as for nat-unanswered. Servers to which this applies are not reported as nat-unanswered. It is likely only if a server has answered connections that are still in the table. Without connections that wait, the rule is reported as conntrack-off.",
    cure: "Set net.ipv4.vs.conntrack to 1, and keep it so in /etc/sysctl.d. The setting exists only after ip_vs is loaded, so name ip_vs in /etc/modules-load.d as well. Leave the routes of the servers as they are.",
    sysctls: ["net.ipv4.vs.conntrack"],
  },
  {
    id: "nat-unanswered",
    severity: "error",
    title: "no answer of a masqueraded real server comes back",
    why: "With masquerading (NAT) answers must come back through the director, which puts the virtual address into them. Here connections wait in SYN_RECV, and no counter shows that answers come back. Possible causes are on the server: its default route leads to another router, its firewall drops requests or answers, or the program hangs. A firewall in between is also possible.",
    looked: `${LOOKED} Also the packets out in the counters of the server: if answers come back, the finding is answers-unconfirmed or answers-elsewhere.`,
    cure: "Run each command above on its server: it checks the routes, the firewall and the listening programs there. If it finds nothing, follow a client while it makes requests, `ipvsadm doctor --client CLIENT`: that tells whether answers come back to the director, and by which way they leave.",
    sysctls: [],
  },
  {
    id: "answers-unconfirmed",
    severity: "error",
    title:
      "answers of a masqueraded real server leave, and no client confirms them",
    why: "The counters prove that the real server answers, and that its answers come back to the director, which sends them on to the clients. Yet no client confirms its connection, so answers are lost on their way from here. The director sends them by another way than requests come in by, and a router or provider there drops them; or a firewall drops them, on the director after IPVS or behind it. Requests with forged sources (a SYN flood, a scan) look the same: nobody waits for their answers.",
    looked: `${LOOKED} The packets out in the counters of a masqueraded server: all of them, if it has had no connection but those that wait; otherwise those of up to five seconds in which doctor reads the counters again. Packets as large as ICMP messages that contain a request are no answers.`,
    cure: "Compare the way of the answers, as the first command shows it, with the way of the requests: `tcpdump -n -i any host CLIENT` shows both. If the machine has several providers, add a routing rule that sends answers from the virtual address to the router from which its requests come: `ip rule add from VIP lookup TABLE`, with that router as the default route of TABLE.",
    sysctls: [],
  },
  {
    id: "direct-unanswered",
    severity: "error",
    title: "requests to a real server with direct routing get no answer",
    why: "The director sends requests to the real server, and no client confirms its connection. The director sees no answers, so a server that refuses looks the same as one that is silent. Requests do not reach the program on the server, or its answers do not reach the client. Possible causes on the server: its firewall drops requests or answers, it does not have the virtual address on lo, no program listens there, rp_filter drops requests, it has no route to clients, or it is a second director that balances the requests again. Clouds and some switches also drop packets whose addresses are not those of the machine, which is true of all packets of direct routing.",
    looked: LOOKED,
    cure: "Run each command above on its server: it checks all of that. If it finds nothing there, the network drops the packets. A router on the way of the answers drops them if its firewall follows connections and did not see the requests, or if its rp_filter is 1 and its route to the virtual address leaves by another interface: let requests and answers pass the same router, or have it accept these answers. A cloud or a switch that drops packets by their addresses does not drop those of a tunnel (-i). That is another forwarding method, and needs a tunnel interface on the server.",
    sysctls: [],
  },
  {
    id: "tunnel-from-vip",
    severity: "error",
    title: "the director sends tunneled packets from a virtual address",
    why: "The source of a tunnel's packets is the address that the kernel chooses for the way to the real server. IPv6 may choose a virtual address. The real server has that address as well, and a tunnel over IPv6 drops packets that come from an address of its own machine. Clients see connections time out. Only the flag allow-localremote of the server's tunnel interface permits it.",
    looked:
      "The source address of the route to each real server with an IPv6 address and tunneling (IP in IP and GUE), and whether a service with that virtual address has the same real server. It is only likely, because the flag allow-localremote of the server's tunnel cannot be seen here. Nor can the source that IPVS remembers: the address may be right by now, and the old one still in use. For IPv4 see own-source, on the real server.",
    cure: "Give the director an IPv6 address of its own, and let the virtual address be no source: `ip address change VIP/128 dev INTERFACE preferred_lft 0`. IPVS remembers the source for each server until the server is edited: `ipvsadm -e` with all settings of the server, because it resets what it does not name. Keep it in the configuration of the network.",
    sysctls: [],
  },
  {
    id: "tunnel-unanswered",
    severity: "error",
    title: "requests to a real server through a tunnel get no answer",
    why: "Requests leave inside packets to the real server, and no client confirms its connection. Possible causes on the server: no interface that unpacks the tunnel's packets is up, its tunnel is meant for another director (its remote address), its kernel does not accept GUE at the UDP port of --tun-port, a firewall stops the tunnel's packets (IP in IP: protocol 4, with IPv6 inside 41; GRE: protocol 47; GUE: UDP) or the requests inside, rp_filter drops requests, the server does not have the virtual address on lo, or it is a second director that balances the requests again. A firewall in between can also stop the tunnel's packets.",
    looked: `${LOOKED} Also the packets out in the counters of the server. Answers do not pass the director, but ICMP errors about the tunnel's packets do, with IPv4 inside and outside: the director sends them on to the client, which sees its connection refused.`,
    cure: "Run each command above on its server: it checks all of that. If it finds nothing there, let the firewalls in between pass the tunnel's packets: protocol 4 for IP in IP (41 with IPv6 inside), 47 for GRE, the UDP port of --tun-port for GUE. A router on the way of the answers drops them if its firewall follows connections and did not see the requests, or if its rp_filter is 1 and its route to the virtual address leaves by another interface: let requests and answers pass the same router, or have it accept these answers.",
    sysctls: [],
  },
  {
    id: "connections-to-nobody",
    severity: "warning",
    title: "connections hang at a real server that was removed",
    why: "When a real server is removed, its connections stay in the table until they expire: each after the timeout of its protocol, which is 15 minutes for TCP and 5 minutes for UDP unless `ipvsadm --set` changed it. Every packet of them is silently dropped. Clients wait and repeat their packets instead of connecting again. UDP clients that keep their port, such as resolvers, get no answer at all.",
    looked:
      "The connection table: open connections with a server that their service does not have, if net.ipv4.vs.expire_nodest_conn is 0. The kernel neither counts the packets that it drops nor renews the entries, so nothing here tells whether clients still send any: `--client` follows one of them.",
    cure: "With expire_nodest_conn the next packet of such a connection ends it: TCP clients get a reset, UDP clients get another server. Drain a server before you remove it, and no connection breaks.",
    sysctls: ["net.ipv4.vs.expire_nodest_conn"],
  },
  {
    id: "service-deleted",
    severity: "warning",
    title: "connections of a deleted service hang",
    why: "When a service is deleted, its connections stay in the table until they expire: each after the timeout of its protocol, which is 15 minutes for TCP and 5 minutes for UDP unless `ipvsadm --set` changed it. Every packet of them is silently dropped, even if another service, such as one by firewall mark, or a program on this machine would take it now. Clients wait instead of connecting again. UDP clients that keep their port get no answer until the entry expires; dropped packets do not renew it.",
    looked:
      "The connection table: open connections that no service can have, by protocol, virtual address and port, if net.ipv4.vs.expire_nodest_conn is 0 and there is another service of their family: without any, IPVS looks at no packet of the family. Connections of a service by firewall mark do not tell their mark: they are not reported if the kernel counts connections for that server. Nothing is reported while a backup sync daemon runs, because connections of a master need no service here.",
    cure: "With expire_nodest_conn the next packet of such a connection ends it: TCP clients get a reset, and packets of UDP clients reach the service or program that is there now.",
    sysctls: ["net.ipv4.vs.expire_nodest_conn"],
  },
  {
    id: "service-unreached",
    severity: "note",
    title: "no packet ever reached a service",
    why: "No finding explains why no packet came. Nobody uses the service yet, or requests go elsewhere: clients use another address, port or protocol than the service has, a router has no route to the virtual address or an old entry for it, or a firewall in front drops the requests. This machine itself drops requests of a client if its route to the client leaves by another interface and rp_filter is 1: `--client` tells. A service by firewall mark gets only packets that match the rule that sets its mark, and that are local. This machine handles other packets as if the service did not exist, and mostly refuses them.",
    looked:
      "The counters and connections of the services that are examined: all of them are zero, and no other finding explains it. If one of the services has traffic, nothing is reported. Name a service (`ipvsadm doctor SERVICE`) to ask about it alone. Services with one-packet scheduling are not reported. While a backup sync daemon runs, a service is reported only if an interface other than lo or a dummy has its address, as after a take-over.",
    cure: "After a take-over, announce the virtual address (`arping -U`). Let a client make a request, and look where its packets stop: `ipvsadm doctor --client CLIENT` and tcpdump here, `ip route get` on the client and its routers.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
