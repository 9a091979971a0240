import type { SizedDatagrams } from "../system/sized-datagrams.js";

/** Which packets a way carries. */
export type PathMeasure =
  /** Those of the full size, or the kernel has learned that it does not and sends smaller ones */
  | { readonly outcome: "carried" }
  /** Those of the full size are lost without a message */
  | {
      readonly outcome: "dropped";
      /** The largest of the tried sizes that gets there; undefined: none */
      readonly largest: number | undefined;
    }
  | { readonly outcome: "unknown"; readonly reason: string };

/** What measuring needs of a socket and of a clock. */
export interface Measuring {
  readonly datagrams: Pick<SizedDatagrams, "send" | "lateAnswers">;
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** The sizes of packets, with their IP header. */
export interface Sizes {
  readonly small: number;
  readonly full: number;
  /** To try if the full size does not get through: each smaller than it, the largest first */
  readonly others: readonly number[];
}

/** So often a small packet must be answered and a large one not. */
export const ROUNDS = 3;
/** More small packets may not be lost. */
const MOST_LOST = 3;
const SMALL_TRIES = 2;
/** Each smaller size is tried so often, because packets get lost for other reasons, too. */
const OTHER_TRIES = 2;
/** How long an answer may take, and how many times as long as the first one */
const LONGEST_MILLISECONDS = 2000;
const TIMES_FIRST = 10;
/** A machine sends few ICMP errors to another one: one a second, and at most six at once. @see net.ipv4.icmp_ratelimit */
const REFILL_MILLISECONDS = 1100;

/** Why nothing was found out, if small packets are not answered */
export const UNANSWERED =
  "datagrams to a closed UDP port there are not answered; a firewall perhaps drops them, or the answers";

/**
 * Finds out whether packets of the full size get to a machine. A machine that answers a small packet and never one of the
 * full size, several times in turn, does not get the large ones, and this machine gets no message about it.
 */
export async function measurePath(
  { datagrams, now, sleep }: Measuring,
  { small, full, others }: Sizes,
): Promise<PathMeasure> {
  let longest = LONGEST_MILLISECONDS;
  const send = (bytes: number) => datagrams.send(bytes, longest);
  const answers = async (bytes: number, tries: number) => {
    for (let i = 0; i < tries; i++) {
      if (i > 0) await sleep(REFILL_MILLISECONDS);
      const result = await send(bytes);
      if (result !== "no answer") return result;
    }
    return "no answer";
  };
  const began = now();
  const first = await answers(small, SMALL_TRIES);
  if (first === "no answer") return { outcome: "unknown", reason: UNANSWERED };
  if (first !== "answered") return unsent();
  longest = Math.max(longest, TIMES_FIRST * (now() - began));
  let dropped = 0;
  let lost = 0;
  // The first large packet follows a small one at once, and its answer is perhaps one too many. It does not count.
  for (let round = 0; dropped < ROUNDS; round++) {
    if (round > 0)
      await sleep(
        // The last large packet comes later after an answer than any small one did: no limit of answers allows only those.
        dropped === ROUNDS - 1
          ? longest + 2 * REFILL_MILLISECONDS
          : REFILL_MILLISECONDS,
      );
    const large = await send(full);
    if (large === "failed") return unsent();
    if (large !== "no answer") return { outcome: "carried" };
    const before = datagrams.lateAnswers;
    const again = await send(small);
    await sleep(REFILL_MILLISECONDS);
    // One of the two answers is that to the large packet.
    if (datagrams.lateAnswers > before) return { outcome: "carried" };
    if (again === "failed") return unsent();
    if (again === "no answer" && ++lost > MOST_LOST)
      return {
        outcome: "unknown",
        reason: "small packets are lost as well",
      };
    if (again === "answered" && round > 0) dropped++;
  }
  // The first one is usually it. Of the others it halves what is left.
  let [from, to] = [0, others.length];
  for (let at = 0; from < to; at = Math.floor((from + to) / 2)) {
    if (to < others.length || from > 0) await sleep(REFILL_MILLISECONDS);
    const isThere =
      (await answers(others[at] ?? small, OTHER_TRIES)) === "answered";
    if (isThere) to = at;
    else from = at + 1;
  }
  return { outcome: "dropped", largest: others[to] };
}

function unsent(): PathMeasure {
  return {
    outcome: "unknown",
    reason:
      "this machine could not send a datagram there, or got an ICMP error other than port unreachable; a firewall here or there perhaps rejects it",
  };
}

/** The largest packets of usual links: Ethernet, PPPoE, tunnels, mobile networks, and the smallest MTU of IPv6. */
const USUAL = [
  1500, 1492, 1480, 1472, 1460, 1450, 1440, 1420, 1400, 1360, 1280,
];

/** The sizes to try if packets of the full size do not get through. @param more others that matter */
export function smallerThan(full: number, more: readonly number[]): number[] {
  return [...new Set([...USUAL, ...more])]
    .filter((bytes) => bytes < full)
    .sort((a, b) => b - a);
}
