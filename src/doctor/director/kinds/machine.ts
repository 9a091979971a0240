import type { Kind } from "../../finding.js";

/** Findings about the machine that is the director. */
export const MACHINE_KINDS = [
  {
    id: "module-absent",
    severity: "error",
    title: "IPVS is not in the kernel",
    why: "The kernel module ip_vs does the load balancing. Without it there is no table. Packets to virtual addresses are treated as any others: no program listens there, so clients see their connections refused.",
    looked:
      "Whether /proc/modules or /sys/module lists ip_vs, and whether the sysctls net.ipv4.vs exist.",
    cure: "Load the module. A file in /etc/modules-load.d loads it at every boot. If the kernel's modules do not include it, install the package with the other modules (such as linux-modules-extra), or boot the kernel whose modules are installed. The table is empty afterwards.",
    sysctls: [],
  },
  {
    id: "schedulers-missing",
    severity: "warning",
    title: "modules of schedulers are missing",
    why: "Each scheduler is a module of its own. The kernel loads it when the first service needs it. If the module is missing, that service cannot be added, and a restore of the rules after the next boot stops there.",
    looked:
      "For the schedulers rr, wrr, lc, wlc, sh, dh, sed and nq: whether they are loaded or built in, and whether modules.dep of the running kernel lists them. Nothing is reported where modules.dep cannot be read, as in a container.",
    cure: "If the files are in /lib/modules, rebuild modules.dep. Otherwise install the package that contains them (such as linux-modules-extra) for the running kernel.",
    sysctls: [],
  },
  {
    id: "forwarding-off",
    severity: "error",
    title: "masquerading needs IP forwarding, which is off",
    why: "With masquerading (NAT) the answers of real servers come back through the director. It puts the virtual address into them and sends them on. For the kernel this is forwarding. With forwarding off, requests reach the real servers, and the kernel silently drops every answer. Clients see connections time out. Direct routing and tunneling do not need forwarding, because their answers do not pass the director.",
    looked:
      "For each service with a masqueraded real server: net.ipv4.ip_forward for IPv4, net.ipv6.conf.all.forwarding for IPv6.",
    cure: "Turn forwarding on, and keep it so in /etc/sysctl.d. The setting for all interfaces changes that of each interface. A machine that forwards IPv6 ignores router advertisements where accept_ra is 1, and loses the default route that it has from them. Set net.ipv6.conf.INTERFACE.accept_ra to 2 on the uplink before.",
    sysctls: [
      "net.ipv4.ip_forward",
      "net.ipv6.conf.all.forwarding",
      "net.ipv6.conf.INTERFACE.accept_ra",
    ],
  },
  {
    id: "interface-forwarding-off",
    severity: "error",
    title: "an interface does not forward the answers of masqueraded servers",
    why: "IPv4 forwarding can be off for a single interface. The kernel drops the answers of masqueraded servers that come in there. Clients see connections time out.",
    looked:
      "The setting net.ipv4.conf.INTERFACE.forwarding of the interface that leads to each masqueraded server, if net.ipv4.ip_forward is 1.",
    cure: "Turn forwarding on for the interface, and keep it so in /etc/sysctl.d.",
    sysctls: ["net.ipv4.conf.INTERFACE.forwarding"],
  },
  {
    id: "conntrack-off",
    severity: "warning",
    title:
      "firewall rules match IPVS connections, but conntrack is off for them",
    why: "By default IPVS takes its packets out of connection tracking. Then SNAT and MASQUERADE do not see them, and rules by state do not know them. Full NAT, which translates both addresses, does not work: real servers answer clients directly, and clients drop the answers.",
    looked:
      "Whether a rule uses the match ipvs, by the reference count of the module xt_ipvs (over all network namespaces), and net.ipv4.vs.conntrack. If doctor can read the rules, it names those that translate the source of a service's requests. If connections of such a service wait for an answer, that is reported as snat-unseen.",
    cure: "Turn net.ipv4.vs.conntrack on if the rules translate addresses or match states. It costs time for every packet, so leave it off without such rules.",
    sysctls: ["net.ipv4.vs.conntrack"],
  },
  {
    id: "conn-reuse-off",
    severity: "warning",
    title: "a client port that is reused gets the old real server",
    why: "Busy clients and proxies reuse their ports within the two minutes in which IPVS remembers a closed connection. With conn_reuse_mode 0 the new connection goes to the server of the old one, whatever the scheduler would choose: to a drained server, or to a removed one, where it is silently dropped. New and healthy servers get too little.",
    looked: "The sysctl, if there is a service for another protocol than UDP.",
    cure: "Set it to 1, the kernel's default. It used to be turned off because older kernels with conntrack delayed such connections by a second. Linux 5.9 fixed that.",
    sysctls: ["net.ipv4.vs.conn_reuse_mode", "net.ipv4.vs.conntrack"],
  },
  {
    id: "defense-drops",
    severity: "error",
    title: "IPVS drops packets or connections to save memory",
    why: "Two sysctls protect the memory of the director in a flood. With drop_packet IPVS drops a part of the packets for which it would have to choose a real server. Clients repeat a dropped SYN after a second; if many are dropped, connections time out. With drop_entry IPVS removes connections at random: those that wait in SYN_RECV, and those with few packets that have been idle for a minute. Their clients get no answer to the next packet, or a reset. 1 does so only while memory is low, and the kernel then shows 2. 3 does so always. No counter or log shows it.",
    looked:
      "The sysctls net.ipv4.vs.drop_packet (2, or 3 if am_droprate is not 0) and drop_entry (2 or 3), if there is a service. drop_entry 3 is only likely, because it can be meant against a flood.",
    cure: "Set them to 0, the default, or to 1, and correct /etc/sysctl.d. If one is 2, memory is low, or amemthresh (in pages) is too high for this machine.",
    sysctls: [
      "net.ipv4.vs.drop_packet",
      "net.ipv4.vs.drop_entry",
      "net.ipv4.vs.am_droprate",
      "net.ipv4.vs.amemthresh",
    ],
  },
  {
    id: "tunnel-fragments",
    severity: "warning",
    title: "the director fragments large packets before it tunnels them",
    why: "A tunnel adds a header to each packet (20 bytes for IP in IP), so the largest packets of clients do not fit. With pmtu_disc the director tells clients to send smaller packets. Without it the director fragments them. That costs time on both ends, and many firewalls and clouds drop fragments: small requests pass, and uploads hang.",
    looked: "The sysctl, if there is a real server with -i and a weight.",
    cure: "Turn it on, the kernel's default. If it is off because a firewall drops the ICMP messages to clients, let the real servers announce a smaller segment size: `ip route change default via ROUTER advmss 1440` on each of them.",
    sysctls: ["net.ipv4.vs.pmtu_disc"],
  },
  {
    id: "fragments-not-reassembled",
    severity: "error",
    title: "the director does not put fragmented requests together",
    why: "A request over UDP that is larger than the MTU arrives in fragments: RADIUS with certificates, large answers to DNS or SIP. Only the first one has ports, so the kernel puts all of them together before IPVS handles the request. If there is too little memory for that, or fragments are missing, it drops them. Small requests are answered, and large ones time out. No log shows it.",
    looked:
      "If there is a service for another protocol than TCP: ReasmFails of /proc/net/snmp and snmp6 in this network namespace, at least 5, and net.ipv4.ipfrag_high_thresh (for IPv6 net.netfilter.nf_conntrack_frag6_high_thresh and net.ipv6.ip6frag_high_thresh): below 256 KB, which the fragments of one datagram of 64 KB need. It is proven if ReasmOKs is 0, and only likely for IPv6, because the kernel does not count all datagrams that it has put together. If the threshold of IPv4 is high enough and ReasmOKs is 0, fragments probably get lost elsewhere.",
    cure: "Raise the threshold to 4 MB (4194304), the kernel's default, also in /etc/sysctl.d. It still limits what a flood of fragments can take.",
    sysctls: [
      "net.ipv4.ipfrag_high_thresh",
      "net.ipv4.ipfrag_time",
      "net.ipv4.ipfrag_max_dist",
      "net.ipv6.ip6frag_high_thresh",
      "net.netfilter.nf_conntrack_frag6_high_thresh",
    ],
  },
  {
    id: "hash-small",
    severity: "note",
    title: "the connection table has outgrown its hash table",
    why: "For every packet the kernel searches a bucket of a hash table. With many entries per bucket the director spends its time searching. Older kernels fix the number of buckets when the module is loaded. Newer ones adapt it to net.ipv4.vs.conn_lfactor.",
    looked:
      "The number of entries in /proc/net/ip_vs_conn and the number of buckets that IPVS reports: eight or more entries per bucket.",
    cure: "On older kernels the new size takes effect when the module is loaded again: after a reboot, or after saving the table and removing the module. A bucket takes 8 bytes. On newer kernels lower net.ipv4.vs.conn_lfactor.",
    sysctls: ["net.ipv4.vs.conn_lfactor"],
  },
  {
    id: "balances-again",
    severity: "error",
    title: "a backup director balances again what the master has balanced",
    why: "Two directors can be real servers of each other's services. A packet that the active one sends to the other by direct routing or tunneling still has the virtual address. The backup has the same table and balances the packet again, perhaps back to the first one, and the packet loops. Its client gets no answer.",
    looked:
      "What backup-balances finds, and connections of the service that wait in SYN_RECV here. No master sends connections in this state, so this machine has balanced their packets in the last minute. It is only likely: if it was active until then, they can be of that time.",
    cure: "With backup_only the machine balances nothing while it is a backup, and handles what comes for itself. Set it in /etc/sysctl.d on both, so that it is there after a reboot.",
    sysctls: ["net.ipv4.vs.backup_only"],
  },
  {
    id: "backup-balances",
    severity: "warning",
    title: "a backup director that is also a real server would balance again",
    why: "Two directors can be real servers of each other's services. A packet that the active one sends to the other by direct routing or tunneling still has the virtual address. If the other has the same table, it balances the packet again, perhaps back to the first one, and the packet loops.",
    looked:
      "A backup sync daemon, no master daemon, net.ipv4.vs.backup_only, and services that have this machine and others with -g or -i as real servers. If connections show that it does so now, balances-again is reported.",
    cure: "With backup_only the machine balances nothing while it is a backup, and handles what comes for itself. Set it in /etc/sysctl.d on both.",
    sysctls: ["net.ipv4.vs.backup_only"],
  },
] as const satisfies readonly Kind[];
