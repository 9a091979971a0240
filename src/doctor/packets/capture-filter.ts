import { formatAddress, type Address } from "../../ipvs/address.js";

/** What a capture has to contain besides the client's own packets. */
export interface CaptureScope {
  readonly client: Address;
  /** Whether packets of the client may be inside of tunnels without ports: IP in IP and GRE */
  readonly tunnels: boolean;
  /** UDP ports of GUE tunnels */
  readonly guePorts: readonly number[];
  /** Servers to which another address than the client's sends its requests (SNAT) */
  readonly hiddenServers: readonly {
    readonly address: Address;
    readonly port: number;
  }[];
}

/** More servers would make the filter too long for the kernel. */
export const MOST_HIDDEN_SERVERS = 64;
const MOST_GUE_PORTS = 16;

/** Later fragments have no ports. */
const LATER_FRAGMENT = {
  ip: "ip[6:2] & 0x1fff != 0",
  ip6: "ip6[6] = 44",
} as const;

/** Bytes between the outer IP header and the inner one: none, or those of GRE (without and with a checksum). */
const TUNNEL_BYTES = [0];
const GRE_BYTES = [4, 8];
/** UDP, and GUE without and with the remote checksum. */
const GUE_BYTES = [12, 20];

/**
 * The expression for tcpdump: the client's packets, those in tunnels, and ICMP errors that quote a packet of the client
 * or of a tunnel. Only IP headers without options are looked through for the client, as IPVS sends them.
 */
export function captureFilter({
  client,
  tunnels,
  guePorts,
  hiddenServers,
}: CaptureScope): string {
  const family = client.length === 4 ? "ip" : "ip6";
  const ports = guePorts.slice(0, MOST_GUE_PORTS);
  const terms = [
    `${family} host ${formatAddress(client)}`,
    ...(tunnels ? tunnelTerms(client) : []),
    ...ports.flatMap((port) => gueTerms(client, port)),
    ...errorTerms(client, tunnels || ports.length > 0),
    ...hiddenServers
      .slice(0, MOST_HIDDEN_SERVERS)
      .map(
        ({ address, port }) =>
          `(${family} host ${formatAddress(address)}${port === 0 ? "" : ` and (port ${port} or ${LATER_FRAGMENT[family]})`})`,
      ),
  ];
  return terms.join(" or ");
}

/** The outer headers: their names in the expression, and their lengths. */
const OUTER = [
  { name: "ip", protocol: "ip[9]", bytes: 20 },
  { name: "ip6", protocol: "ip6[6]", bytes: 40 },
] as const;

function tunnelTerms(client: Address): string[] {
  const inside = client.length === 4 ? 4 : 41;
  return OUTER.flatMap(({ name, protocol, bytes }) => [
    `(${protocol} = ${inside} and ${contains(name, bytes, TUNNEL_BYTES, client)})`,
    `(${protocol} = 47 and ${contains(name, bytes, GRE_BYTES, client)})`,
  ]);
}

function gueTerms(client: Address, port: number): string[] {
  return OUTER.map(
    ({ name, protocol, bytes }) =>
      `(${protocol} = 17 and ${name}[${bytes + 2}:2] = ${port} and ${contains(name, bytes, GUE_BYTES, client)})`,
  );
}

/** Whether an inner IP header has the client's address, at one of some distances. */
function contains(
  name: string,
  outerBytes: number,
  distances: readonly number[],
  client: Address,
): string {
  return anyOf(
    distances.flatMap((bytes) =>
      addressTerms(name, outerBytes + bytes, client),
    ),
  );
}

/** Whether the source or the target of an IP header is the client. */
function addressTerms(
  name: string,
  headerAt: number,
  client: Address,
): string[] {
  const [source, target] = client.length === 4 ? [12, 16] : [8, 24];
  return [source, target].map((at) => equals(name, headerAt + at, client));
}

function equals(name: string, at: number, address: Address): string {
  const view = new DataView(address.buffer, address.byteOffset, address.length);
  const words: string[] = [];
  for (let i = 0; i < address.length; i += 4)
    words.push(
      `${name}[${at + i}:4] = 0x${view.getUint32(i).toString(16).padStart(8, "0")}`,
    );
  return words.length === 1 ? (words[0] ?? "") : `(${words.join(" and ")})`;
}

function anyOf(terms: readonly string[]): string {
  return `(${terms.join(" or ")})`;
}

/** ICMP errors that quote a packet of the client, or one of a tunnel, in which too little of the client's packet is quoted. */
function errorTerms(client: Address, tunnels: boolean): string[] {
  const quoted4 = 20 + 8;
  const quoted6 = 40 + 8;
  const four = [
    ...(client.length === 4 ? addressTerms("ip", quoted4, client) : []),
    ...(tunnels ? protocolTerms("ip", quoted4 + 9) : []),
  ];
  const six = [
    ...(client.length === 16 ? addressTerms("ip6", quoted6, client) : []),
    ...(tunnels ? protocolTerms("ip6", quoted6 + 6) : []),
  ];
  return [
    ...(four.length > 0
      ? [
          `(ip[9] = 1 and (ip[20] = 3 or ip[20] = 11 or ip[20] = 12) and ${anyOf(four)})`,
        ]
      : []),
    ...(six.length > 0
      ? [`(ip6[6] = 58 and ip6[40] >= 1 and ip6[40] <= 4 and ${anyOf(six)})`]
      : []),
  ];
}

function protocolTerms(name: string, at: number): string[] {
  return [4, 41, 47, 17].map((protocol) => `${name}[${at}] = ${protocol}`);
}
