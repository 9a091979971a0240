import type { Kind } from "../finding.js";

const LOOKED =
  "The table of connections, for each real server with a weight: at least three connections wait in SYN_RECV, and each of them began after the last packet of any that came further. A server that is known not to be there is told as such, and not here.";

/** Findings about what becomes of connections. */
export const CONNECTION_KINDS = [
  {
    id: "nat-unanswered",
    severity: "error",
    title: "no answer of a masqueraded real server comes back",
    why: "With masquerading (NAT) answers must come back through the director, which puts the virtual address into them. Here clients ask again and again, and the director sees no answer: mostly the real server's way back goes past the director (its default route leads to another router, or it reaches clients directly), and clients refuse answers from an address that they never asked. It can also be that the server drops requests, or that nobody but a scanner asks.",
    looked: LOOKED,
    cure: "Make the director the real server's default route, or its route to the clients. If clients are in the real server's own network, translate their addresses, too (SNAT, see conntrack-off).",
    sysctls: [],
  },
  {
    id: "direct-unanswered",
    severity: "error",
    title: "requests to a real server with direct routing come to nothing",
    why: "Requests are handed to the real server, and no client ever goes on to the second step of its connection: requests are lost on their way to the server, or answers on theirs to the client. Clouds and some switches drop packets whose addresses are not the machine's own, which all packets of direct routing are. Else the server does not have the virtual address on lo, nobody listens there, or its rp_filter drops them.",
    looked: LOOKED,
    cure: "On the real server, `ipvsadm doctor --real-server VIP` tells what is at fault there. If all is well there, the network drops them: tunnel (-i), so that it sees the addresses that it knows, with a decapsulating device on the server.",
    sysctls: ["net.ipv4.conf.INTERFACE.rp_filter"],
  },
  {
    id: "tunnel-unanswered",
    severity: "error",
    title: "requests to a real server in a tunnel come to nothing",
    why: "Requests leave within a packet to the real server, and no client ever goes on to the second step of its connection. Mostly the server has no device that takes the packets out (IP in IP is off by default), or its rp_filter drops what comes out, since the answer would go by another interface; or a firewall on the way does not let the tunnel's protocol through; or the server does not have the virtual address on lo.",
    looked: LOOKED,
    cure: "On the real server, `ipvsadm doctor --real-server VIP` tells what is at fault there. The decapsulating device must be up, and both its rp_filter and that of all interfaces 0, for the larger counts: 1 wants the answer to go by the tunnel, and 2 refuses what comes by a device that has no address.",
    sysctls: [
      "net.ipv4.conf.all.rp_filter",
      "net.ipv4.conf.INTERFACE.rp_filter",
    ],
  },
  {
    id: "connections-to-nobody",
    severity: "warning",
    title: "connections hang at a real server that has been removed",
    why: "When a real server is removed, its connections stay in the table until they run out, up to 15 minutes each, and every packet of theirs is dropped in silence. Clients wait, and send again and again, instead of connecting anew. UDP clients that keep their port, such as resolvers, get no answer at all.",
    looked:
      "The table of connections for open ones with a server that their service does not have, if net.ipv4.vs.expire_nodest_conn is 0.",
    cure: "With expire_nodest_conn the next packet of such a connection ends it: TCP clients are told at once, UDP clients get another server. Drain a server before it is removed, and nobody is cut off.",
    sysctls: ["net.ipv4.vs.expire_nodest_conn"],
  },
] as const satisfies readonly Kind[];
