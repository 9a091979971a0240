import type { Kind } from "../finding.js";

/** Findings about the machine that is the director. */
export const MACHINE_KINDS = [
  {
    id: "module-absent",
    severity: "error",
    title: "IPVS is not in the kernel",
    why: "Load balancing is done by the kernel's module ip_vs. Without it there is no table, and packets to virtual addresses are treated as any others: nobody listens there, so clients see their connections refused.",
    looked:
      "Whether /proc/modules or /sys/module has ip_vs, and whether there is a net.ipv4.vs.",
    cure: "Load the module; /etc/modules-load.d has it loaded at every start. If the kernel's modules do not have it, install the package with the rest of them (such as linux-modules-extra), or start the kernel whose modules are installed. The table is empty afterwards.",
    sysctls: [],
  },
  {
    id: "schedulers-missing",
    severity: "warning",
    title: "modules of schedulers are not to be had",
    why: "Each scheduler is a module of its own, which the kernel asks for when a service is the first to want it. If it is not to be had, that service cannot be added: a restore of the rules after the next start stops there.",
    looked:
      "Of the schedulers rr, wrr, lc, wlc, sh, dh, sed and nq: whether they are loaded or built in, and whether modules.dep of the running kernel has them. Where that cannot be read, as in a container, nothing is said.",
    cure: "If the files are in /lib/modules, have modules.dep made anew. Else install the package that has them (such as linux-modules-extra), for the kernel that runs.",
    sysctls: [],
  },
  {
    id: "forwarding-off",
    severity: "error",
    title: "masquerading needs IP forwarding, which is off",
    why: "With masquerading (NAT) the answers of real servers come back through the director, which puts the virtual address into them and sends them on. To the kernel that is forwarding: with it off, requests reach the real servers, and every answer is dropped in silence. Clients see connections time out. Direct routing and tunneling do not need it, for their answers go past the director.",
    looked:
      "For each service with a masqueraded real server: net.ipv4.ip_forward for IPv4, net.ipv6.conf.all.forwarding for IPv6.",
    cure: "Switch forwarding on, and keep it so in /etc/sysctl.d. The setting of all interfaces at once changes that of each. A machine that forwards IPv6 no longer heeds router advertisements where accept_ra is 1, and loses the default route that it has from them: on the interface of the uplink set net.ipv6.conf.INTERFACE.accept_ra to 2 before.",
    sysctls: [
      "net.ipv4.ip_forward",
      "net.ipv6.conf.all.forwarding",
      "net.ipv6.conf.INTERFACE.accept_ra",
    ],
  },
  {
    id: "conntrack-off",
    severity: "warning",
    title:
      "rules of the firewall match IPVS, which hides its connections from them",
    why: "Unless it is told otherwise, IPVS takes its packets out of connection tracking. Then SNAT and MASQUERADE do nothing to them, and rules by state do not know them. For NAT of both addresses (full NAT), which lets real servers be anywhere, that means that they answer clients directly, and clients refuse the answers.",
    looked:
      "Whether a rule uses the match ipvs, by the references to the module xt_ipvs (of all network namespaces), and net.ipv4.vs.conntrack.",
    cure: "Switch conntrack on, if the rules translate addresses or ask for states. It takes time for every packet, so without such rules leave it off.",
    sysctls: ["net.ipv4.vs.conntrack"],
  },
  {
    id: "conn-reuse-off",
    severity: "warning",
    title: "a client's port that comes again gets the old real server",
    why: "Busy clients and proxies use their ports again within the two minutes that a closed connection is remembered. With conn_reuse_mode 0 the new connection goes where the old one went, whatever the scheduler says: to a drained server, or to one that has been removed, where it is dropped in silence. New and healthy servers get too little.",
    looked: "The sysctl, if there is a service other than of UDP.",
    cure: "Set it to 1, the kernel's default. It was switched off for older kernels, which with conntrack made such connections wait for a second; that is fixed since Linux 5.9.",
    sysctls: ["net.ipv4.vs.conn_reuse_mode", "net.ipv4.vs.conntrack"],
  },
  {
    id: "tunnel-fragments",
    severity: "warning",
    title: "large packets are cut in pieces in front of a tunnel",
    why: "A packet in a tunnel is longer by another header (20 bytes for IP in IP), so the largest packets of clients do not fit. With pmtu_disc the director tells clients to send smaller ones. Without it the director cuts them in two, which costs time on both ends, and many firewalls and clouds drop pieces: small requests pass, and uploads hang.",
    looked: "The sysctl, if there is a real server with -i and a weight.",
    cure: "Switch it on, the kernel's default. If it is off because clients never get to see what they are told (a firewall drops ICMP), have the real servers ask for smaller packets: `ip route change default via ROUTER advmss 1440` on each of them.",
    sysctls: ["net.ipv4.vs.pmtu_disc"],
  },
  {
    id: "hash-small",
    severity: "note",
    title: "the table of connections has outgrown its hash",
    why: "For every packet the kernel looks its connection up in a row of a hash table. The number of rows is fixed when the module is loaded; with many entries in each the director spends its time with looking.",
    looked:
      "How many entries /proc/net/ip_vs_conn has, and how many rows IPVS says that it has: eight or more in each.",
    cure: "The next time that the module is loaded it takes the new size, so after a start, or when the table has been saved and the module removed. A row takes 8 bytes.",
    sysctls: [],
  },
  {
    id: "backup-balances",
    severity: "warning",
    title: "a backup director that is a real server, too, would balance again",
    why: "Two directors may be real servers for each other's services. What the active one hands to the other by direct routing or tunnel still has the virtual address. If the other has the same table, it balances the packet again, maybe back to the first, and the two throw it to and fro.",
    looked:
      "A sync daemon that is backup, none that is master, net.ipv4.vs.backup_only, and services of which this machine is a real server, besides others with -g or -i.",
    cure: "With backup_only the machine balances nothing as long as it is backup, and takes what comes for itself. Keep it so in /etc/sysctl.d on both.",
    sysctls: ["net.ipv4.vs.backup_only"],
  },
  {
    id: "sync-ids-differ",
    severity: "warning",
    title: "a backup passes over what its master tells it",
    why: "A backup takes the messages of masters with its own sync id only. With another one it never learns of the connections, and when it takes over every one of them breaks.",
    looked:
      "The multicast group of each sync daemon that is backup here was listened to for a second and a half; messages came by, and none with its sync id. A master is silent while there are no connections, so that nothing comes by is no fault.",
    cure: "Start one of the two with the other's sync id; a backup with 0 takes the messages of all.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
