import type { Facts } from "./facts.js";
import type { Finding } from "./finding.js";
import type { FindingId } from "./findings.js";

/** The facts of these names, all of them known. */
export type Known<Name extends keyof Facts> = {
  readonly [N in Name]-?: NonNullable<Facts[N]>;
};

/** Looks at facts for faults of some kinds. */
export interface Check {
  readonly ids: readonly FindingId[];
  /** The facts without which it cannot look */
  readonly needs: readonly (keyof Facts)[];
  /** @param facts among which are those it needs */
  readonly examine: (facts: Facts) => Finding<FindingId>[];
}

/**
 * Makes a check of a pure function.
 *
 * @param ids what it can find
 * @param needs the facts that it gets
 */
export function check<const Id extends FindingId, Name extends keyof Facts>(
  ids: readonly Id[],
  needs: readonly Name[],
  examine: (facts: Known<Name>) => Finding<Id>[],
): Check {
  return { ids, needs, examine: (facts) => examine(facts as Known<Name>) };
}

/** The facts that checks need who look for faults of some kinds. */
export function needsOf(
  checks: readonly Check[],
  wanted: (id: FindingId) => boolean,
): ReadonlySet<keyof Facts> {
  const looking = checks.filter(({ ids }) => ids.some(wanted));
  return new Set(looking.flatMap(({ needs }) => needs));
}

/** What came of checks. */
export interface Examination {
  /** The gravest first */
  readonly findings: readonly Finding<FindingId>[];
  /** What was looked for */
  readonly examined: readonly FindingId[];
  /** What could not be looked for, and the first of the facts that were wanting */
  readonly unexamined: readonly {
    readonly id: FindingId;
    readonly wanting: keyof Facts;
  }[];
}

/** Looks for faults of some kinds. @param wanted whether an id is looked for */
export function examine(
  checks: readonly Check[],
  facts: Facts,
  wanted: (id: FindingId) => boolean = () => true,
): Examination {
  const findings: Finding<FindingId>[] = [];
  const examined: FindingId[] = [];
  const unexamined: { id: FindingId; wanting: keyof Facts }[] = [];
  for (const { ids, needs, examine: look } of checks) {
    const some = ids.filter(wanted);
    if (some.length === 0) continue;
    const wanting = needs.find((name) => facts[name] === undefined);
    if (wanting !== undefined) {
      unexamined.push(...some.map((id) => ({ id, wanting })));
      continue;
    }
    examined.push(...some);
    findings.push(...look(facts).filter(({ id }) => some.includes(id)));
  }
  return { findings, examined, unexamined };
}
