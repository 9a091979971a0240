import { judge, type Answer } from "./judge.js";
import type { Hook, Packet } from "./packet.js";
import type {
  Base,
  Chain,
  Condition,
  Rule,
  Ruleset,
  Step,
  Table,
  Verdict,
} from "./ruleset.js";

/** A place in the firewall that stops or changes a packet. */
export interface Place {
  readonly table: Table;
  /** The chain that the kernel calls */
  readonly base: Chain;
  /** The chain with the rule: the base chain, or one that it calls */
  readonly chain: Chain;
  /** Undefined: the policy of the chain */
  readonly rule: Rule | undefined;
  /** The rule's position in its chain, from 1 */
  readonly position: number | undefined;
  /** The positions of the rules that lead there from the base chain, its own last; of a policy none */
  readonly path?: readonly number[] | undefined;
  /** How many packets the rule or the policy has decided, if it counts */
  readonly packets: bigint | undefined;
  /** How many bytes these packets had */
  readonly bytes?: bigint | undefined;
  /** Whether the packet meets it for certain */
  readonly certain: boolean;
}

/** A place that keeps a packet from getting further as it is. */
export interface Stop extends Place {
  readonly does: "drop" | "reject" | "redirect";
  /** Of a redirection: where to */
  readonly to?: string | undefined;
}

/** A rule that sets the mark of a packet. */
export interface Marking extends Place {
  readonly verdict: MarkVerdict;
  /** The mark of the packet behind the rule, if it is known */
  readonly mark: number | undefined;
}

type MarkVerdict = Extract<Verdict, { does: "mark" | "mark-from-elsewhere" }>;

/** What the rules of a hook do to a packet. */
export interface Walked {
  /** What stops it, in order. Nothing certain comes after one that is certain */
  readonly stops: readonly Stop[];
  /** Rules that change its source */
  readonly translations: readonly Place[];
  /** Rules that may be meant to change its source, and have matched no packet */
  readonly unusedTranslations: readonly Place[];
  /** Rules that set its mark */
  readonly marks: readonly Marking[];
  /** Rules that take it out of connection tracking */
  readonly untrackedBy: readonly Place[];
  /** The packet as it leaves the hook, with its mark and state */
  readonly packet: Packet;
}

/** Which base chains of a hook are walked, by their priority. */
export interface Range {
  readonly from?: number | undefined;
  /** The first priority that is not walked any more */
  readonly before?: number | undefined;
}

export interface WalkOptions extends Range {
  /** Conditions that the packet meets, unless what is known of it says otherwise */
  readonly given?: ReadonlySet<Condition> | undefined;
}

/** The kernel refuses loops; a ruleset that was read wrongly could have one. */
const DEEPEST = 64;

/** Walks a packet through the rules of a hook. */
export function walk(
  { tables }: Ruleset,
  hook: Hook,
  packet: Packet,
  { from = -Infinity, before = Infinity, given }: WalkOptions = {},
): Walked {
  const bases = tables
    .filter(({ families }) => families.includes(packet.family))
    .flatMap((table) =>
      Array.from(table.chains.values(), (chain) => ({ table, chain })),
    )
    .flatMap(({ table, chain }) =>
      chain.base?.hook === hook &&
      chain.base.priority >= from &&
      chain.base.priority < before &&
      !(chain.base.nat && isPastNat(packet))
        ? [{ table, chain, base: chain.base }]
        : [],
    )
    .sort((a, b) => a.base.priority - b.base.priority);
  const walker = new Walker(packet, given);
  for (const { table, chain, base } of bases)
    if (walker.walkBase(table, chain, base)) break;
  return walker;
}

/** Chains of type nat see packets that begin a connection only. */
function isPastNat({ states }: Packet): boolean {
  return states !== undefined && !states.includes("new");
}

/** How a chain ends for the packet. */
interface Ending {
  /** The rules that follow in the caller are not reached */
  readonly how: "accepted" | "stopped" | "returned";
  /** Whether the chain perhaps accepts before it ends */
  readonly perhapsAccepted: boolean;
}

class Walker implements Walked {
  readonly stops: Stop[] = [];
  readonly translations: Place[] = [];
  readonly unusedTranslations: Place[] = [];
  readonly marks: Marking[] = [];
  readonly untrackedBy: Place[] = [];
  packet: Packet;
  readonly #given: ReadonlySet<Condition>;
  /** The positions of the rules that call the chain that is walked */
  readonly #callers: number[] = [];
  #table: Table | undefined;
  #base: Chain | undefined;

  constructor(packet: Packet, given: ReadonlySet<Condition> = new Set()) {
    this.packet = packet;
    this.#given = given;
  }

  /** @returns whether the packet certainly gets no further */
  walkBase(table: Table, chain: Chain, base: Base): boolean {
    this.#table = table;
    this.#base = chain;
    const { how, perhapsAccepted } = this.#walkChain(chain, true, 0);
    if (how !== "returned") return how === "stopped" && !perhapsAccepted;
    if (base.policy === "accept") return false;
    const certain = !perhapsAccepted;
    if (!certain && base.policyPackets === 0n) return false;
    this.stops.push({
      ...this.#place(chain, undefined, undefined, certain),
      packets: base.policyPackets,
      bytes: base.policyBytes,
      does: "drop",
    });
    return certain;
  }

  #walkChain(chain: Chain, reached: boolean, depth: number): Ending {
    // What follows a rule that perhaps accepts or returns is perhaps not reached.
    let certain = reached;
    let perhapsAccepted = false;
    const judged = (condition: Condition) => this.#judge(condition);
    for (const [at, rule] of chain.rules.entries()) {
      for (const { verdict, answer } of outcomesOf(rule.steps, judged)) {
        const sure = certain && answer === "yes";
        const place = this.#place(chain, rule, at + 1, sure);
        // A rule that is perhaps met and never matched anything is not the one.
        const never = !sure && rule.packets === 0n;
        switch (verdict.does) {
          case "accept":
            perhapsAccepted ||= !sure;
            if (answer === "yes") return { how: "accepted", perhapsAccepted };
            certain = false;
            break;
          case "drop":
          case "reject":
            if (!never) this.stops.push({ ...place, does: verdict.does });
            if (answer === "yes") return { how: "stopped", perhapsAccepted };
            break;
          case "redirect":
            if (!never)
              this.stops.push({ ...place, does: "redirect", to: verdict.to });
            if (answer === "yes") return { how: "stopped", perhapsAccepted };
            break;
          case "translate":
            (never ? this.unusedTranslations : this.translations).push(place);
            if (answer === "yes") return { how: "accepted", perhapsAccepted };
            break;
          case "return":
            if (answer === "yes") return { how: "returned", perhapsAccepted };
            certain = false;
            break;
          case "jump":
          case "goto": {
            const target = this.#table?.chains.get(verdict.chain);
            if (!target || depth >= DEEPEST) break;
            this.#callers.push(at + 1);
            const sub = this.#walkChain(target, sure, depth + 1);
            this.#callers.pop();
            perhapsAccepted ||=
              sub.perhapsAccepted || (sub.how === "accepted" && !sure);
            if (answer === "yes") {
              if (sub.how !== "returned") return { ...sub, perhapsAccepted };
              if (verdict.does === "goto")
                return { how: "returned", perhapsAccepted };
              certain &&= !sub.perhapsAccepted;
            } else {
              certain &&= verdict.does === "jump" && !perhapsAccepted;
            }
            break;
          }
          case "mark":
          case "mark-from-elsewhere":
            this.#mark(verdict, sure);
            if (!never)
              this.marks.push({ ...place, verdict, mark: this.packet.mark });
            break;
          case "notrack":
            if (!never) this.untrackedBy.push(place);
            if (sure) this.packet = { ...this.packet, states: ["untracked"] };
            else this.packet = { ...this.packet, states: undefined };
            break;
          case "unknown":
            // It may do anything: accept, drop, or nothing.
            perhapsAccepted = true;
            certain = false;
            if (!never)
              this.stops.push({ ...place, does: "drop", certain: false });
            break;
        }
      }
    }
    return { how: "returned", perhapsAccepted };
  }

  /** @param sure whether the packet meets the rule for certain */
  #mark(verdict: MarkVerdict, sure: boolean): void {
    const { mark } = this.packet;
    const set =
      verdict.does === "mark" && (mark !== undefined || verdict.mask === WHOLE)
        ? (((mark ?? 0) & ~verdict.mask) ^ verdict.value) >>> 0
        : undefined;
    const known = sure || set === mark ? set : undefined;
    this.packet = { ...this.packet, mark: known };
  }

  #judge(condition: Condition): Answer {
    const answer = judge(condition, this.packet);
    return answer === "perhaps" && this.#given.has(condition) ? "yes" : answer;
  }

  #place(
    chain: Chain,
    rule: Rule | undefined,
    position: number | undefined,
    certain: boolean,
  ): Place {
    if (!this.#table || !this.#base) throw new Error("no chain is walked");
    const table = this.#table;
    const base = this.#base;
    const path = position === undefined ? [] : [...this.#callers, position];
    const { packets, bytes } = rule ?? {};
    const place = { table, base, chain, rule, position, path };
    return { ...place, packets, bytes, certain };
  }
}

const WHOLE = 0xffffffff;

/** The verdicts of a rule, with how sure they are; none if its conditions do not hold. */
function* outcomesOf(
  steps: readonly Step[],
  judged: (condition: Condition) => Answer,
): Generator<{ verdict: Verdict; answer: Exclude<Answer, "no"> }> {
  let answer: Exclude<Answer, "no"> = "yes";
  for (const step of steps) {
    if ("if" in step) {
      const one = judged(step.if);
      if (one === "no") return;
      if (one === "perhaps") answer = "perhaps";
    } else if ("then" in step) {
      yield { verdict: step.then, answer };
    } else {
      for (const one of step.cases) {
        const holds = judged(one.if);
        if (holds === "no") continue;
        const both = holds === "yes" ? answer : "perhaps";
        yield { verdict: one.then, answer: both };
        if (holds === "yes") break;
      }
    }
  }
}
