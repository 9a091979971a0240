import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import { isWithin } from "../../rtnl/address-owners.js";
import { formatHardwareAddress } from "../../rtnl/model.js";
import type { Hop, Route, Rule } from "../../rtnl/model.js";
import { check } from "../check.js";
import type { Finding, Fix } from "../finding.js";
import { routeFor, type Way } from "../network.js";
import { hardwareAddressIn } from "./link-local.js";
import { virtualAddresses, stationAt, type RealServer } from "./real-server.js";
import { tooWideAddress, withWideAddress } from "./wide-address.js";

/** Answers that do not reach clients. */
export const wayBack = check(
  ["no-way-back", "way-back-elsewhere"],
  ["realServer"],
  ({ realServer }) => [
    ...barred(realServer),
    ...(realServer.method === "masq" ? elsewhere(realServer) : []),
  ],
);

function barred(realServer: RealServer): Finding<"no-way-back">[] {
  const { ways, client } = realServer;
  if (client === undefined) return [];
  const way = ways.map(({ back }) => back).find((back) => leadsNowhere(back));
  if (way === undefined) return [];
  const seen =
    typeof way === "string"
      ? `the route to it: ${way}`
      : `its route is of type ${way.type}`;
  const source = sourceOf(realServer);
  const rule = source && ruleOf(realServer, source);
  const table = rule ? ` table ${rule.table}` : "";
  const { method, director } = realServer;
  const router =
    method === "masq" && director ? formatAddress(director) : "ROUTER";
  const who = router === "ROUTER" ? `${ROUTER}; ` : "";
  const barrier = routeFor(realServer.routes, rule?.table ?? MAIN, client);
  const fix =
    way === "no route"
      ? {
          command: `ip route add default via ${router}${table}`,
          effect: `${who}all packets without another route go there`,
        }
      : barrier && barrier.type !== "unicast"
        ? {
            command: `ip route replace ${prefixOf(barrier)} via ${router}${table}`,
            effect: `${who}all packets go there that the route of type ${barrier.type} refuses now`,
          }
        : {
            command: `ip route replace ${formatAddress(client)} via ${router}${table}`,
            effect: `${who}only packets to this client go there`,
          };
  const from = source ? ` from ${formatAddress(source)}` : "";
  return [
    {
      id: "no-way-back",
      subject: formatAddress(client),
      seen,
      evidence: rule
        ? [
            `routing rule ${rule.priority} sends packets${from} to table ${rule.table}, so the routes of the main table do not count ('ip rule' and 'ip route show table ${rule.table}' show them)`,
          ]
        : [],
      next: [
        {
          command: `ip route get ${formatAddress(client)}${from}`,
          effect: "changes nothing; shows the route of an answer",
        },
      ],
      fix: [fix],
    },
  ];
}

/** The source of answers */
function sourceOf({ method, server, ways }: RealServer): Address | undefined {
  return method === "masq" ? server?.address : ways[0]?.service.address;
}

/** The rule that sends packets with this source to a table of their own. */
function ruleOf({ rules = [] }: RealServer, source: Address): Rule | undefined {
  return rules
    .filter(
      ({ action, from, to, incoming, mark, table, inverted }) =>
        action === "table" &&
        !inverted &&
        table !== MAIN &&
        from !== undefined &&
        isWithin(source, from.address, from.bits) &&
        to === undefined &&
        incoming === undefined &&
        mark === undefined,
    )
    .sort((a, b) => a.priority - b.priority)[0];
}

export const ROUTER =
  "ROUTER is the address of a router that reaches the clients";

/** A route to this machine itself is another fault, or none. */
function leadsNowhere(way: Way | undefined): boolean {
  return typeof way === "string" || way?.hops.length === 0;
}

/** With masquerading, answers must go through the director. */
function elsewhere(server: RealServer): Finding<"way-back-elsewhere">[] {
  const { director } = server;
  if (director === undefined) return [];
  return wayBacks(server).flatMap(({ target, way, family }) => {
    if (director.length !== family) return [];
    if (way?.hops.some((hop) => isDirector(server, director, hop))) return [];
    if (isClientDirector(server, director, way)) return [];
    if (isLearned(server, director, way))
      return [learnedElsewhere(server, target, way)];
    const finding: Finding<"way-back-elsewhere"> = {
      id: "way-back-elsewhere",
      subject: target,
      seen: hopInWords(way),
      certainty: "likely",
      evidence: [
        "with SNAT on the director, servers see its address instead of the clients', and this route does not matter: name that address with --client",
      ],
      fix: [throughDirector(server, director, way, server.client)],
    };
    const wide = way && tooWideAddress(server, director, way);
    if (wide) return [withWideAddress(finding, wide)];
    const silent = way?.hops.find((hop) => isSilent(server, hop));
    if (!silent) return [finding];
    // Without an answer of the director, this server's own interface may be broken.
    const bare = { ...finding, seen: routersInWords(way) };
    return isSilent(server, { ...silent, gateway: director })
      ? [withoutNeighbors(bare, server, silent)]
      : [withSilentRouter(bare, server, silent)];
  });
}

/** Whether the route goes through the director, and a redirect taught the kernel another way to the client. */
function isLearned(
  server: RealServer,
  director: Address,
  way: Route | undefined,
): boolean {
  const { client, routes } = server;
  const route = client && way && usedRoute(routes, way, client);
  return route?.hops.every((hop) => isDirector(server, director, hop)) ?? false;
}

function learnedElsewhere(
  { client }: RealServer,
  target: string,
  way: Route | undefined,
): Finding<"way-back-elsewhere"> {
  const ip = client?.length === 16 ? "ip -6" : "ip";
  return {
    id: "way-back-elsewhere",
    subject: target,
    seen: `${hopInWords(way)}, though the route to it goes through the director: this machine has learned that way from an ICMP redirect`,
    next: [
      {
        command: "ipvsadm doctor",
        on: "the director",
        effect:
          "finds whether the director sends redirects, which would teach it again",
      },
    ],
    cure: "Stop the redirects first, on the director: its doctor says how. Then forget what was learned, on each real server.",
    fix: [
      {
        command: `${ip} route flush cache`,
        effect: "forgets all ways that were learned from redirects",
      },
    ],
  };
}

/** Whether the next hop is the director: by its address, or by the hardware address of another of its addresses. */
export function isDirector(
  server: RealServer,
  director: Address,
  { gateway, device }: Hop,
): boolean {
  if (gateway === undefined) return false;
  if (sameAddress(gateway, director)) return true;
  const there = stationAt(server, gateway, device)?.hardwareAddress;
  const here = stationAt(server, director, device)?.hardwareAddress;
  return there && here ? Buffer.compare(there, here) === 0 : false;
}

/** With SNAT the client that this server sees is the director, also by another of its addresses. */
function isClientDirector(
  server: RealServer,
  director: Address,
  way: Route | undefined,
): boolean {
  const { client } = server;
  if (client === undefined) return false;
  return (
    sameAddress(client, director) ||
    (way?.hops.some(({ gateway, device }) =>
      isDirector(server, director, { gateway: gateway ?? client, device }),
    ) ??
      false)
  );
}

/** Whether the router of a route was asked for and did not answer. */
export function isSilent(
  server: RealServer,
  { gateway, device }: Hop,
): boolean {
  const station = gateway && stationAt(server, gateway, device);
  return station !== undefined && station.hardwareAddress === undefined;
}

/** Neither the router nor the director answers: nothing is known of the router. */
function withoutNeighbors(
  finding: Finding<"way-back-elsewhere">,
  { devices, director }: RealServer,
  { gateway, device }: Hop,
): Finding<"way-back-elsewhere"> {
  if (gateway === undefined || director === undefined) return finding;
  const name = devices.find(({ index }) => index === device)?.name;
  const on = name === undefined ? "" : ` on ${name}`;
  return {
    ...finding,
    seen: `${finding.seen}; neither ${formatAddress(gateway)} nor the director ${formatAddress(director)} answers${on}`,
    certainty: "likely",
    cure: `Check the interface first, its cable and network, and whether a firewall drops ARP or neighbor discovery${on}.`,
    fix: [],
  };
}

/** A router that does not answer is perhaps an address that the active director should have. */
function withSilentRouter(
  finding: Finding<"way-back-elsewhere">,
  { devices, addresses }: RealServer,
  { gateway, device }: Hop,
): Finding<"way-back-elsewhere"> {
  if (gateway === undefined) return finding;
  const router = formatAddress(gateway);
  const name = devices.find(({ index }) => index === device)?.name;
  const own = addresses.find(
    (one) =>
      one.device === device &&
      one.address.length === gateway.length &&
      isWithin(gateway, one.address, one.prefixBits),
  );
  const bits = own?.prefixBits ?? gateway.length * 8;
  const route = finding.fix.map(({ command }) => `'${command}'`).join(", ");
  const seen = `${finding.seen}${finding.seen.endsWith(` ${router}`) ? ", which" : `; ${router}`} does not answer${name === undefined ? "" : ` on ${name}`}`;
  const card = hardwareAddressIn(gateway);
  if (card)
    return {
      ...finding,
      seen,
      evidence: [
        ...(finding.evidence ?? []),
        `${router} is formed from the hardware address ${formatHardwareAddress(card)}: perhaps that of a network card of the director which was replaced; the director's fixed address stays`,
      ],
    };
  return {
    ...finding,
    seen,
    cure: `If ${router} is the address that the active director should have for its real servers, as with two directors, add it on the active director: 'ip address add ${router}/${bits} dev INTERFACE', and let what switches between the directors (keepalived: virtual_ipaddress) move it. The routes of the servers stay. Otherwise change the route on this server: ${route}. That ties the server to this director.`,
    fix: [],
  };
}

/** The next hops of answers. */
export function hopsBack(server: RealServer): Hop[] {
  return wayBacks(server).flatMap(({ way }) => way?.hops ?? []);
}

/** A route that SNAT on the director does without */
const UNLESS =
  "only if the director does no SNAT for the service, which this server cannot see";

/** Changes the route by which answers leave; for clients in the server's own network, adds one for each. */
function throughDirector(
  { routes }: RealServer,
  director: Address,
  way: Route | undefined,
  client: Address | undefined,
): Fix {
  const via = `via ${formatAddress(director)}`;
  const table =
    way === undefined || way.table === MAIN ? "" : ` table ${way.table}`;
  const old = client && way ? usedRoute(routes, way, client) : undefined;
  if (client && old?.prefixBits !== 0) {
    const to = old ? prefixOf(old) : formatAddress(client);
    return {
      command: `ip route replace ${to} ${via}${table}`,
      effect: `${UNLESS}; ${
        old
          ? `all packets of this server to ${to} go through the director`
          : "only answers to this client: each client needs such a route"
      }`,
    };
  }
  const effect = `${UNLESS}; all packets of this server that have no other route go through the director, also those of its own connections`;
  return way?.protocol === ADVERTISED
    ? {
        command: `ip route replace default ${via} metric ${metricBelow(way.metric)}${table}`,
        effect: `${effect}; the route of the router advertisement stays, and this one is preferred by its metric, also after the next advertisement`,
      }
    : { command: `ip route replace default ${via}${table}`, effect };
}

/** RTPROT_RA of linux/rtnetlink.h: the route came from a router advertisement. */
const ADVERTISED = 9;
/** Below that of router advertisements, which is 1024 unless somebody changed it */
const PREFERRED = 512;

/** A metric that is preferred to this one. */
function metricBelow(metric: number): number {
  return metric === 0 || metric > PREFERRED
    ? PREFERRED
    : Math.max(1, metric - 1);
}

/** The route through a router that leads to a client. */
export function usedRoute(
  routes: readonly Route[],
  way: Route,
  client: Address,
): Route | undefined {
  const route = routeFor(routes, way.table, client);
  return route?.type === "unicast" &&
    route.hops.some(({ gateway }) => gateway !== undefined)
    ? route
    : undefined;
}

/** A route's destination as ip(8) takes it. */
export function prefixOf({ target, prefixBits }: Route): string {
  return prefixBits === 0
    ? "default"
    : `${formatAddress(target)}/${prefixBits}`;
}

interface Back {
  readonly target: string;
  /** The length of its addresses in bytes */
  readonly family: number;
  readonly way: Route | undefined;
}

/** The route to the client; if no client is known, the default route of each family. */
export function wayBacks(server: RealServer): Back[] {
  const { ways, client, routes } = server;
  if (client) {
    const back = ways.map(({ back }) => back).find((way) => way !== undefined);
    if (typeof back !== "object") return [];
    return [
      { target: formatAddress(client), family: client.length, way: back },
    ];
  }
  const families = new Set(
    virtualAddresses(server).map(({ length }) => length),
  );
  return Array.from(families, (family) => ({
    target: "default route",
    family,
    way: routes
      .filter(
        (route) =>
          route.prefixBits === 0 &&
          route.type === "unicast" &&
          route.target.length === family &&
          route.table === MAIN,
      )
      .sort((a, b) => a.metric - b.metric)[0],
  }));
}

/** RT_TABLE_MAIN of linux/rtnetlink.h */
export const MAIN = 254;

function hopInWords(way: Route | undefined): string {
  if (way === undefined) return "there is none";
  return way.hops.some(({ gateway }) => gateway !== undefined)
    ? `${routersInWords(way)}, past the director`
    : "answers go directly there, past the director";
}

function routersInWords(way: Route | undefined): string {
  const routers = (way?.hops ?? []).flatMap(({ gateway }) =>
    gateway ? [formatAddress(gateway)] : [],
  );
  return `answers go through ${routers.join(", ")}`;
}
