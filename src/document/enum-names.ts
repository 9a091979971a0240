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

/** Numbers of the kernel, and the words that stand for them in documents and on the command line. */
export class Words<N extends number = number> {
  readonly #numbers: ReadonlyMap<string, N>;
  readonly #words: ReadonlyMap<number, string>;

  constructor(pairs: readonly (readonly [string, N])[]) {
    this.#numbers = new Map(pairs);
    this.#words = new Map(pairs.map(([word, number]) => [number, word]));
  }

  /** All words. */
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

export const PROTOCOL_WORDS = new Words(
  PROTOCOLS.map((protocol) => [TRANSPORTS[protocol], protocol]),
);

/** Of services that have a firewall mark; all others have an address, which tells its own. */
export const FAMILIES = new Words([
  ["ipv4", INET],
  ["ipv6", INET6],
]);

/** Named as in the classic listing, but for direct routing. */
export const FORWARDING = new Words([
  ["masq", MASQUERADING],
  ["direct", DIRECT_ROUTING],
  ["tunnel", TUNNELING],
  ["local", LOCAL_NODE],
]);

export const TUNNELS = new Words([
  ["ipip", TUNNEL_IPIP],
  ["gue", TUNNEL_GUE],
  ["gre", TUNNEL_GRE],
]);

export const CHECKSUMS = new Words([
  ["none", 0],
  ["checksum", TUNNEL_CHECKSUM],
  ["remote-checksum", TUNNEL_REMOTE_CHECKSUM],
]);

export const ROLES = new Words([
  ["master", MASTER],
  ["backup", BACKUP],
]);
