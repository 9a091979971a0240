import {
  BACKUP,
  DIRECT_ROUTING,
  LOCAL_NODE,
  MASQUERADING,
  MASTER,
  TUNNELING,
  TUNNEL_CHECKSUM,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_IPIP,
  TUNNEL_REMOTE_CHECKSUM,
  PROTOCOLS,
  TRANSPORTS,
} from "../ipvs/model.js";
import { INET, INET6 } from "../ipvs/address.js";

/** The kernel's numbers of an enumeration, and their names in documents and on the command line. */
export class EnumNames<N extends number = number> {
  readonly #numbers: ReadonlyMap<string, N>;
  readonly #words: ReadonlyMap<number, string>;

  constructor(pairs: readonly (readonly [string, N])[]) {
    this.#numbers = new Map(pairs);
    this.#words = new Map(pairs.map(([word, number]) => [number, word]));
  }

  /** All names. */
  get all(): readonly string[] {
    return [...this.#numbers.keys()];
  }

  number(word: string): N | undefined {
    return this.#numbers.get(word);
  }

  word(number: number): string | undefined {
    return this.#words.get(number);
  }
}

export const PROTOCOL_WORDS = new EnumNames(
  PROTOCOLS.map((protocol) => [TRANSPORTS[protocol], protocol]),
);

/** For services with a firewall mark. The address of other services determines the family. */
export const FAMILIES = new EnumNames([
  ["ipv4", INET],
  ["ipv6", INET6],
]);

/** Forwarding methods: the names of the classic listing, except direct instead of Route. */
export const FORWARDING = new EnumNames([
  ["masq", MASQUERADING],
  ["direct", DIRECT_ROUTING],
  ["tunnel", TUNNELING],
  ["local", LOCAL_NODE],
]);

export const TUNNELS = new EnumNames([
  ["ipip", TUNNEL_IPIP],
  ["gue", TUNNEL_GUE],
  ["gre", TUNNEL_GRE],
]);

export const CHECKSUMS = new EnumNames([
  ["none", 0],
  ["checksum", TUNNEL_CHECKSUM],
  ["remote-checksum", TUNNEL_REMOTE_CHECKSUM],
]);

export const ROLES = new EnumNames([
  ["master", MASTER],
  ["backup", BACKUP],
]);
