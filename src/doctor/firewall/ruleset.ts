import type { Address, Family } from "../../ipvs/address.js";
import type { ConntrackState, Hook } from "./packet.js";

/** The first and the last of consecutive addresses. */
export interface AddressRange {
  readonly first: Address;
  readonly last: Address;
}

/** The first and the last of consecutive numbers. */
export type NumberRange = readonly [first: number, last: number];

/** What a rule asks about a packet. */
export type Condition =
  | {
      readonly about: "address";
      readonly end: "source" | "destination";
      readonly ranges: readonly AddressRange[];
    }
  | {
      readonly about: "interface";
      readonly end: "incoming" | "outgoing";
      /** With `*` at the end: any name that begins so */
      readonly names: readonly string[];
    }
  | { readonly about: "family"; readonly family: Family }
  | { readonly about: "protocol"; readonly numbers: readonly number[] }
  | {
      readonly about: "port";
      readonly end: "source" | "destination";
      readonly ranges: readonly NumberRange[];
    }
  | { readonly about: "icmp-type"; readonly ranges: readonly NumberRange[] }
  | { readonly about: "icmp-code"; readonly ranges: readonly NumberRange[] }
  | { readonly about: "state"; readonly states: readonly ConntrackState[] }
  | { readonly about: "mark"; readonly value: number; readonly mask: number }
  /** The flags within the mask are as in the value */
  | {
      readonly about: "tcp-flags";
      readonly value: number;
      readonly mask: number;
    }
  /** One of the flags at least is set */
  | { readonly about: "any-tcp-flag"; readonly flags: number }
  | { readonly about: "local-destination" }
  /** An answer would leave by the interface by which the packet comes in; `loose`: by any */
  | {
      readonly about: "reverse-path";
      readonly loose: boolean;
      /** Whether packets from an address of this machine pass */
      readonly acceptLocal: boolean;
      /** Whether the route is looked up with the packet's mark */
      readonly withMark: boolean;
      /** Whether a route by the interface by which the packet comes in is chosen before better ones by others */
      readonly prefersIncoming?: boolean;
    }
  | { readonly about: "not"; readonly condition: Condition }
  | { readonly about: "all"; readonly conditions: readonly Condition[] }
  | { readonly about: "any"; readonly conditions: readonly Condition[] }
  /** What doctor cannot judge, as the rule has it */
  | { readonly about: "unknown"; readonly text: string };

/** What a rule does with a packet. */
export type Verdict =
  | { readonly does: "accept" }
  | { readonly does: "drop" }
  | { readonly does: "reject" }
  | { readonly does: "return" }
  | { readonly does: "jump"; readonly chain: string }
  | { readonly does: "goto"; readonly chain: string }
  /** Changes the destination (DNAT, REDIRECT, TPROXY) */
  | { readonly does: "redirect"; readonly to: string }
  /** Changes the source (SNAT, MASQUERADE) */
  | { readonly does: "translate"; readonly to: string }
  | { readonly does: "notrack" }
  /** Changes these bits of the mark: `(mark & ~mask) ^ value` */
  | { readonly does: "mark"; readonly value: number; readonly mask: number }
  /** Sets the mark to a value that is not known */
  | { readonly does: "mark-from-elsewhere" }
  /** A program decides (NFQUEUE), or doctor does not know the target */
  | { readonly does: "unknown"; readonly text: string };

/** A part of a rule. The parts are tried in order; the rule ends at a condition that does not hold. */
export type Step =
  | { readonly if: Condition }
  | { readonly then: Verdict }
  /** The first case whose condition holds decides */
  | {
      readonly cases: readonly {
        readonly if: Condition;
        readonly then: Verdict;
      }[];
    };

export interface Rule {
  /** As the firewall's own program prints it, without the chain */
  readonly text: string;
  /** How many packets it has matched; undefined if it does not count */
  readonly packets: bigint | undefined;
  /** How many bytes these packets had; undefined if it does not count */
  readonly bytes?: bigint | undefined;
  readonly steps: readonly Step[];
  /** What nft calls it by */
  readonly handle?: number | undefined;
}

/** Where a chain is called by the kernel. */
export interface Base {
  readonly hook: Hook;
  /** Chains of one hook are called in ascending order. */
  readonly priority: number;
  /** A chain of type nat sees the first packet of a connection only. */
  readonly nat: boolean;
  readonly policy: "accept" | "drop";
  /** How many packets the policy decided; undefined if it does not count */
  readonly policyPackets: bigint | undefined;
  readonly policyBytes?: bigint | undefined;
}

export interface Chain {
  readonly name: string;
  /** Undefined: other chains call it */
  readonly base: Base | undefined;
  readonly rules: readonly Rule[];
}

export interface Table {
  /** The program that manages it: `iptables-legacy`, `ip6tables-nft`, `nft` */
  readonly program: string;
  /** The families whose packets it sees */
  readonly families: readonly Family[];
  /** As nft names it: `ip`, `ip6`, `inet`; of iptables the same */
  readonly nftFamily: string;
  readonly name: string;
  readonly chains: ReadonlyMap<string, Chain>;
}

/** All firewall rules of a network namespace that could be read. */
export interface Ruleset {
  readonly tables: readonly Table[];
}

/** IPv4 or IPv6 addresses of a network such as 10.0.0.0/8. */
export function prefixRange(address: Address, bits: number): AddressRange {
  const first = Uint8Array.from(address);
  const last = Uint8Array.from(address);
  for (let at = 0; at < address.length; at++) {
    const host = Math.min(8, Math.max(0, 8 * (at + 1) - bits));
    const mask = (1 << host) - 1;
    first[at] = (address[at] ?? 0) & ~mask;
    last[at] = (address[at] ?? 0) | mask;
  }
  return { first, last };
}
