import type { Kind } from "../finding.js";

/** Findings about the table by itself. */
export const TABLE_KINDS = [
  {
    id: "empty-table",
    severity: "warning",
    title: "there is no virtual service",
    why: "The table lives in the kernel alone: after a start, or when the module was loaded anew, it is empty until somebody fills it, and nothing is balanced.",
    looked: "The table.",
    cure: "Restore the saved rules. The service ipvsadm, or a health checker such as keepalived, does it at every start.",
    sysctls: [],
  },
  {
    id: "no-scheduler",
    severity: "error",
    title: "a service has no scheduler",
    why: "Without a scheduler nobody chooses a real server: every new connection is refused, whatever servers there are.",
    looked: "The table: services whose scheduler is none.",
    cure: "Give it one.",
    sysctls: [],
  },
  {
    id: "no-servers",
    severity: "error",
    title: "a service has no real server",
    why: "IPVS takes the packets of a virtual service before anything else on the machine does, and without a real server it has nobody to give them to: it refuses them (ICMP port unreachable), so clients see their connections refused, even if something on the director itself listens at that port.",
    looked: "The table: services without any real server.",
    cure: "Add a real server, or remove the service.",
    sysctls: [],
  },
  {
    id: "all-drained",
    severity: "error",
    title: "every real server of a service has weight 0",
    why: "A real server with weight 0 gets no new connections: that is how one is drained. When all of a service's are, every new connection is refused; only those that are established go on, and clients that persistence binds to a server.",
    looked: "The table: services all of whose real servers have weight 0.",
    cure: "Give a real server that works a weight.",
    sysctls: [],
  },
  {
    id: "all-overloaded",
    severity: "error",
    title: "every real server of a service is at its upper threshold",
    why: "A real server that has as many connections as its upper threshold says (established or not) gets no new ones until they are fewer than the lower threshold. When all of a service's that are not drained are, every new connection is refused.",
    looked:
      "The table: services without a server that takes connections, of which at least one has as many connections, active and inactive, as its upper threshold says.",
    cure: "Add real servers, or raise the threshold if the server can bear more. Connections that have ended count until they are forgotten: look for clients that leave many of them behind.",
    sysctls: [],
  },
  {
    id: "server-starved",
    severity: "warning",
    title: "a weight is so small that its real server gets hardly anything",
    why: "Weights count in proportion to each other. A server with a twentieth of an even share, or less, stands idle while the others bear its part; that is mostly a number that was forgotten when others changed their scale.",
    looked:
      "The table: services by weight (wrr, wlc, lblc, lblcr, sed, sh, mh), and what part of all weights that count each server has. Weight 0 is a drain, and not meant.",
    cure: "Give it a weight in proportion, or 0 if it is to get nothing.",
    sysctls: [],
  },
  {
    id: "weights-ignored",
    severity: "note",
    title: "weights differ, and the scheduler takes no notice of them",
    why: "Round robin (rr) and least connections (lc) only see whether a weight is 0. A small server gets as much as a large one.",
    looked:
      "The table: services with rr or lc whose servers have different weights other than 0.",
    cure: "Take the scheduler that goes by weight: wrr for rr, wlc for lc.",
    sysctls: [],
  },
  {
    id: "persistence-pins",
    severity: "warning",
    title: "persistence gives nearly all connections to one real server",
    why: "With persistence a client stays with its server. If clients are told apart by a part of their addresses only, or come through a proxy or carrier that has one address for all, nearly all of them are one client, and have one server.",
    looked:
      "The table: persistent services with at least 20 connections, nine tenths of them at one server, whose weight does not say so.",
    cure: "Tell clients apart by their whole address. If they really come from few addresses, do without persistence, or keep sessions where all servers find them. A service of port 0 (all ports) cannot do without: give each port that is in use a service of its own, then remove it. Connections of before count until they are forgotten, so for some minutes it may be told still.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
