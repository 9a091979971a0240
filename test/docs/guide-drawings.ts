import type { Arrow, Drawing } from "./drawing.js";

/** The drawings of `docs/guides`, by the names of their files. */
export const GUIDE_DRAWINGS: Readonly<Record<string, Drawing>> = {
  nat: {
    title:
      "NAT: requests and answers both pass the director, which changes the addresses in them",
    boxes: [
      { name: "client", lines: ["192.0.2.10"], column: 0, rows: [0, 3] },
      {
        name: "director",
        lines: ["192.0.2.1", "198.51.100.1", "virtual address", "192.0.2.100"],
        column: 1,
        rows: [0, 3],
      },
      { name: "server1", lines: ["198.51.100.11"], column: 2, rows: [0, 1] },
      { name: "server2", lines: ["198.51.100.12"], column: 2, rows: [2, 3] },
    ],
    arrows: [
      request(0, "client", "director", "192.0.2.10", "192.0.2.100:80"),
      request(0, "director", "server1", "192.0.2.10", "198.51.100.11:8080"),
      answer(1, "server1", "director", "198.51.100.11:8080", "192.0.2.10"),
      answer(1, "director", "client", "192.0.2.100:80", "192.0.2.10"),
      request(2, "director", "server2", "192.0.2.10", "198.51.100.12:8080"),
      answer(3, "server2", "director", "198.51.100.12:8080", "192.0.2.10"),
    ],
  },
  "direct-routing": {
    title:
      "Direct routing: requests pass the director unchanged, and real servers answer the client directly",
    boxes: [
      { name: "client", lines: ["203.0.113.10"], column: 0, rows: [0, 3] },
      {
        name: "director",
        lines: ["203.0.113.1", "virtual address", "203.0.113.100"],
        column: 1,
        rows: [1, 2],
      },
      {
        name: "server1",
        lines: ["203.0.113.11", "203.0.113.100 on lo"],
        column: 2,
        rows: [0, 1],
      },
      {
        name: "server2",
        lines: ["203.0.113.12", "203.0.113.100 on lo"],
        column: 2,
        rows: [2, 3],
      },
    ],
    arrows: [
      answer(0, "server1", "client", "203.0.113.100:80", "203.0.113.10"),
      request(1, "client", "director", "203.0.113.10", "203.0.113.100:80"),
      request(1, "director", "server1", "203.0.113.10", "203.0.113.100:80"),
      request(2, "client", "director", "203.0.113.10", "203.0.113.100:80"),
      request(2, "director", "server2", "203.0.113.10", "203.0.113.100:80"),
      answer(3, "server2", "client", "203.0.113.100:80", "203.0.113.10"),
    ],
  },
  "full-nat": {
    title:
      "Full NAT: the director also puts its own address in place of the client's address, so that answers come back to it",
    boxes: [
      { name: "client", lines: ["203.0.113.10"], column: 0, rows: [0, 3] },
      {
        name: "director",
        lines: ["203.0.113.1", "virtual address", "203.0.113.100"],
        column: 1,
        rows: [0, 3],
      },
      { name: "server1", lines: ["203.0.113.11"], column: 2, rows: [0, 1] },
      {
        name: "server2",
        lines: ["198.51.100.12", "behind a router"],
        column: 2,
        rows: [2, 3],
      },
    ],
    arrows: [
      request(0, "client", "director", "203.0.113.10", "203.0.113.100:80"),
      request(0, "director", "server1", "203.0.113.1", "203.0.113.11:8080"),
      answer(1, "server1", "director", "203.0.113.11:8080", "203.0.113.1"),
      answer(1, "director", "client", "203.0.113.100:80", "203.0.113.10"),
      request(2, "director", "server2", "203.0.113.1", "198.51.100.12:8080"),
      answer(3, "server2", "director", "198.51.100.12:8080", "203.0.113.1"),
    ],
  },
  "firewall-marks": {
    title:
      "A firewall mark: rules of the director mark packets to several ports, and one service balances them all",
    boxes: [
      { name: "client", lines: ["192.0.2.10"], column: 0, rows: [0, 1] },
      {
        name: "another client",
        lines: ["192.0.2.11"],
        column: 0,
        rows: [2, 3],
      },
      {
        name: "director",
        lines: [
          "192.0.2.1, 198.51.100.1",
          "virtual address 192.0.2.100",
          "",
          "port 80: mark 7",
          "port 443: mark 7",
          "",
          "service: mark 7",
        ],
        column: 1,
        rows: [0, 3],
      },
      { name: "server1", lines: ["198.51.100.11"], column: 2, rows: [0, 1] },
      { name: "server2", lines: ["198.51.100.12"], column: 2, rows: [2, 3] },
    ],
    arrows: [
      request(0, "client", "director", "192.0.2.10", "192.0.2.100:80"),
      request(0, "director", "server1", "192.0.2.10", "198.51.100.11:80"),
      request(1, "client", "director", "192.0.2.10", "192.0.2.100:443"),
      request(1, "director", "server1", "192.0.2.10", "198.51.100.11:443"),
      request(2, "another client", "director", "192.0.2.11", "192.0.2.100:80"),
      request(2, "director", "server2", "192.0.2.11", "198.51.100.12:80"),
      request(3, "another client", "director", "192.0.2.11", "192.0.2.100:443"),
      request(3, "director", "server2", "192.0.2.11", "198.51.100.12:443"),
    ],
  },
  "firewall-marks-loop": {
    title:
      "Two directors that are each other's real servers: the second balances what the first sent it, and sends it back",
    boxes: [
      { name: "client", lines: ["203.0.113.10"], column: 0, rows: [0, 1] },
      {
        name: "director1",
        lines: ["203.0.113.1", "203.0.113.100 on lan"],
        column: 1,
        rows: [0, 1],
      },
      {
        name: "director2",
        lines: ["203.0.113.2", "203.0.113.100 on lo"],
        column: 2,
        rows: [0, 1],
      },
    ],
    arrows: [
      request(0, "client", "director1", "203.0.113.10", "203.0.113.100:80"),
      request(0, "director1", "director2", "203.0.113.10", "203.0.113.100:80"),
      {
        ...request(
          1,
          "director2",
          "director1",
          "203.0.113.10",
          "203.0.113.100:80",
        ),
        below: ["to 203.0.113.100:80", "(balanced again)"],
      },
    ],
  },
  persistence: {
    title:
      "Persistence: a template in the director's connection table binds each client to a real server",
    boxes: [
      { name: "client", lines: ["192.0.2.10"], column: 0, rows: [0, 1] },
      {
        name: "another client",
        lines: ["192.0.2.20"],
        column: 0,
        rows: [2, 3],
      },
      {
        name: "director",
        lines: [
          "virtual address 192.0.2.100",
          "",
          "templates for 300 seconds:",
          "192.0.2.10: server2",
          "192.0.2.20: server1",
        ],
        column: 1,
        rows: [0, 3],
      },
      { name: "server2", lines: ["198.51.100.12"], column: 2, rows: [0, 1] },
      { name: "server1", lines: ["198.51.100.11"], column: 2, rows: [2, 3] },
    ],
    arrows: [
      request(0, "client", "director", "192.0.2.10:35001", "192.0.2.100:80"),
      request(
        0,
        "director",
        "server2",
        "192.0.2.10:35001",
        "198.51.100.12:8080",
      ),
      request(1, "client", "director", "192.0.2.10:35002", "192.0.2.100:80"),
      request(
        1,
        "director",
        "server2",
        "192.0.2.10:35002",
        "198.51.100.12:8080",
      ),
      request(
        2,
        "another client",
        "director",
        "192.0.2.20:41001",
        "192.0.2.100:80",
      ),
      request(
        2,
        "director",
        "server1",
        "192.0.2.20:41001",
        "198.51.100.11:8080",
      ),
      request(
        3,
        "another client",
        "director",
        "192.0.2.20:41002",
        "192.0.2.100:80",
      ),
      request(
        3,
        "director",
        "server1",
        "192.0.2.20:41002",
        "198.51.100.11:8080",
      ),
    ],
  },
  "sync-daemons": {
    title:
      "Sync daemons: the active director multicasts the state of its connections to the standby",
    boxes: [
      { name: "client", lines: ["203.0.113.10"], column: 0, rows: [0, 3] },
      {
        name: "director1",
        lines: ["203.0.113.1", "203.0.113.100, master"],
        column: 1,
        rows: [1, 1],
      },
      {
        name: "director2",
        lines: ["203.0.113.2", "backup"],
        column: 1,
        rows: [3, 3],
      },
      {
        name: "server1",
        lines: ["203.0.113.11", "203.0.113.100 on lo"],
        column: 2,
        rows: [0, 1],
      },
      {
        name: "server2",
        lines: ["203.0.113.12", "203.0.113.100 on lo"],
        column: 2,
        rows: [2, 3],
      },
    ],
    arrows: [
      answer(0, "server1", "client", "203.0.113.100:80", "203.0.113.10"),
      request(1, "client", "director1", "203.0.113.10", "203.0.113.100:80"),
      request(1, "director1", "server1", "203.0.113.10", "203.0.113.100:80"),
      {
        kind: "sync",
        from: "director1",
        to: "director2",
        above: ["from 203.0.113.1", "to 224.0.0.81:8848"],
      },
    ],
  },
  ipv6: {
    title:
      "IPv6 by NAT, where answers pass the director, and by direct routing, where they do not",
    boxes: [
      {
        name: "client",
        lines: ["2001:db8:1::10", "2001:db8:3::10"],
        column: 0,
        rows: [0, 3],
      },
      {
        name: "director",
        lines: ["virtual addresses", "2001:db8:1::100", "2001:db8:3::100"],
        column: 1,
        rows: [0, 2],
      },
      {
        name: "server1, server2",
        lines: ["2001:db8:2::11", "2001:db8:2::12"],
        column: 2,
        rows: [0, 1],
      },
      {
        name: "server3, server4",
        lines: ["2001:db8:3::13", "2001:db8:3::14", "2001:db8:3::100 on lo"],
        column: 2,
        rows: [2, 3],
      },
    ],
    arrows: [
      request(
        0,
        "client",
        "director",
        "2001:db8:1::10",
        "[2001:db8:1::100]:80",
      ),
      request(
        0,
        "director",
        "server1, server2",
        "2001:db8:1::10",
        "[2001:db8:2::11]:8080",
      ),
      answer(
        1,
        "server1, server2",
        "director",
        "[2001:db8:2::11]:8080",
        "2001:db8:1::10",
      ),
      answer(1, "director", "client", "[2001:db8:1::100]:80", "2001:db8:1::10"),
      request(
        2,
        "client",
        "director",
        "2001:db8:3::10",
        "[2001:db8:3::100]:80",
      ),
      request(
        2,
        "director",
        "server3, server4",
        "2001:db8:3::10",
        "[2001:db8:3::100]:80",
      ),
      answer(
        3,
        "server3, server4",
        "client",
        "[2001:db8:3::100]:80",
        "2001:db8:3::10",
      ),
    ],
  },
  "udp-and-dns": {
    title:
      "UDP with one-packet scheduling: each datagram goes to the next real server, also from one client port",
    boxes: [
      { name: "client", lines: ["203.0.113.10"], column: 0, rows: [0, 3] },
      {
        name: "director",
        lines: ["203.0.113.1", "virtual address", "203.0.113.100"],
        column: 1,
        rows: [1, 2],
      },
      {
        name: "server1",
        lines: ["203.0.113.11", "203.0.113.100 on lo"],
        column: 2,
        rows: [0, 1],
      },
      {
        name: "server2",
        lines: ["203.0.113.12", "203.0.113.100 on lo"],
        column: 2,
        rows: [2, 3],
      },
    ],
    arrows: [
      answer(0, "server1", "client", "203.0.113.100:53", "203.0.113.10:40002"),
      request(
        1,
        "client",
        "director",
        "203.0.113.10:40002",
        "203.0.113.100:53",
      ),
      request(
        1,
        "director",
        "server1",
        "203.0.113.10:40002",
        "203.0.113.100:53",
      ),
      request(
        2,
        "client",
        "director",
        "203.0.113.10:40002",
        "203.0.113.100:53",
      ),
      request(
        2,
        "director",
        "server2",
        "203.0.113.10:40002",
        "203.0.113.100:53",
      ),
      answer(3, "server2", "client", "203.0.113.100:53", "203.0.113.10:40002"),
    ],
  },
  "containers-and-ci": {
    title:
      "Each network namespace has a table of its own; a container in the host's network sees the table of the host; a CI job checks files",
    boxes: [
      { name: "host", lines: ["root"], column: 0, rows: [0, 0] },
      {
        name: "container in the host's network",
        lines: ["NET_ADMIN"],
        column: 0,
        rows: [1, 1],
      },
      { name: "container", lines: ["NET_ADMIN"], column: 0, rows: [2, 2] },
      { name: "CI job", lines: ["no privileges"], column: 0, rows: [3, 3] },
      {
        name: "IPVS table of the host",
        lines: ["kernel of the host,", "module ip_vs"],
        column: 1,
        rows: [0, 1],
      },
      {
        name: "IPVS table of the container",
        lines: ["the same kernel"],
        column: 1,
        rows: [2, 2],
      },
      { name: "files of rules", column: 1, rows: [3, 3] },
    ],
    arrows: [
      command(0, "host", "IPVS table of the host", "ipvsadm -Ln"),
      command(
        1,
        "container in the host's network",
        "IPVS table of the host",
        "ipvsadm -Ln",
      ),
      command(2, "container", "IPVS table of the container", "ipvsadm -Ln"),
      command(3, "CI job", "files of rules", "ipvsadm check"),
    ],
  },
  "many-directors": {
    title:
      "Operators publish tables in etcd; the agent of each director fetches them, applies them and reports",
    boxes: [
      {
        name: "operator",
        lines: ["203.0.113.20", "", "ipvsadm fleet"],
        column: 0,
        rows: [0, 2],
      },
      {
        name: "etcd",
        lines: ["203.0.113.200", "", "tables", "orders, drains", "reports"],
        column: 1,
        rows: [0, 2],
      },
      {
        name: "director1",
        lines: ["203.0.113.1", "fleet agent"],
        column: 2,
        rows: [0, 0],
      },
      {
        name: "director2",
        lines: ["203.0.113.2", "fleet agent"],
        column: 2,
        rows: [1, 1],
      },
      { name: "more", lines: ["fleet agent"], column: 2, rows: [2, 2] },
    ],
    arrows: [
      command(0, "operator", "etcd", "publish, rollout"),
      command(1, "operator", "etcd", "drain"),
      command(2, "operator", "etcd", "status"),
      command(0, "director1", "etcd", "watch, fetch, report"),
      command(1, "director2", "etcd", "watch, fetch, report"),
      command(2, "more", "etcd", "watch, fetch, report"),
    ],
  },
  tunneling: {
    title:
      "Tunneling: the director sends each request inside another packet to the real server, which answers the client directly",
    boxes: [
      { name: "client", lines: ["192.0.2.10"], column: 0, rows: [0, 3] },
      {
        name: "director",
        lines: ["192.0.2.1", "virtual address", "192.0.2.100"],
        column: 1,
        rows: [0, 2],
      },
      {
        name: "server1",
        lines: ["198.51.100.11", "ipip, 192.0.2.100"],
        column: 2,
        rows: [0, 0],
      },
      {
        name: "server2",
        lines: ["198.51.100.12", "gue, 192.0.2.100"],
        column: 2,
        rows: [1, 1],
      },
      {
        name: "server3",
        lines: ["198.51.100.13", "gre, 192.0.2.100"],
        column: 2,
        rows: [2, 3],
      },
    ],
    arrows: [
      request(1, "client", "director", "192.0.2.10", "192.0.2.100:80"),
      ...[11, 12, 13].map((number, row): Arrow => ({
        ...request(
          row,
          "director",
          `server${row + 1}`,
          "192.0.2.1",
          `198.51.100.${number}`,
        ),
        above: [`192.0.2.1 to 198.51.100.${number}`],
        below: ["inside: 192.0.2.10 to 192.0.2.100:80"],
      })),
      answer(3, "server3", "client", "192.0.2.100:80", "192.0.2.10"),
    ],
  },
};

/** An arrow from left to right: a request, with the addresses in it. */
function request(
  row: number,
  from: string,
  to: string,
  source: string,
  destination: string,
): Arrow {
  return withAddresses({ kind: "request", row, from, to }, source, destination);
}

/** An arrow from left to right: who asks for what. */
function command(row: number, from: string, to: string, text: string): Arrow {
  return { kind: "request", row, from, to, above: [text] };
}

/** An arrow from right to left: an answer, with the addresses in it. */
function answer(
  row: number,
  from: string,
  to: string,
  source: string,
  destination: string,
): Arrow {
  return withAddresses({ kind: "answer", row, from, to }, source, destination);
}

function withAddresses(
  arrow: Arrow,
  source: string,
  destination: string,
): Arrow {
  return { ...arrow, above: [`from ${source}`], below: [`to ${destination}`] };
}
