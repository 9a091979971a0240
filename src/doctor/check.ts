import type { Facts } from "./facts.js";
import type { Finding, Fix } from "./finding.js";
import { sortFindings } from "./finding-order.js";
import type { FindingId } from "./findings.js";
import { settingsIn } from "./sysctls.js";

/** The facts with these names, all of them known. */
export type Known<Name extends keyof Facts> = {
  readonly [N in Name]-?: NonNullable<Facts[N]>;
};

/** Finds faults of some kinds in the facts. */
export interface Check {
  readonly ids: readonly FindingId[];
  /** The facts that it needs */
  readonly needs: readonly (keyof Facts)[];
  /** @param facts must include those that it needs */
  readonly examine: (facts: Facts) => Finding<FindingId>[];
  /** Whether finding nothing means that there is no fault. Otherwise the kinds do not count as examined */
  readonly rulesOut: (facts: Facts) => boolean;
}

/**
 * Makes a check from a pure function.
 *
 * @param ids what it can find
 * @param needs the facts that it gets for certain. It may use others if they are there
 * @param rulesOut whether the facts suffice to find nothing; always if absent
 */
export function check<const Id extends FindingId, Name extends keyof Facts>(
  ids: readonly Id[],
  needs: readonly Name[],
  examine: (facts: Known<Name> & Facts) => Finding<Id>[],
  rulesOut: (facts: Known<Name> & Facts) => boolean = () => true,
): Check {
  return {
    ids,
    needs,
    examine: (facts) => examine(facts as Known<Name> & Facts),
    rulesOut: (facts) => rulesOut(facts as Known<Name> & Facts),
  };
}

/** The facts that the checks for the wanted kinds need. */
export function needsOf(
  checks: readonly Check[],
  wanted: (id: FindingId) => boolean,
): ReadonlySet<keyof Facts> {
  const looking = checks.filter(({ ids }) => ids.some(wanted));
  return new Set(looking.flatMap(({ needs }) => needs));
}

/** The result of the checks. */
export interface Examination {
  /** In the order of their subjects */
  readonly findings: readonly Finding<FindingId>[];
  /** The kinds that were checked, without those of which the facts say nothing */
  readonly examined: readonly FindingId[];
  /** The kinds that could not be checked, with the first fact that was missing */
  readonly unexamined: readonly {
    readonly id: FindingId;
    readonly wanting: keyof Facts;
  }[];
}

/** The finding without fixes that write a setting of this machine that is read-only. */
function withPossibleFixes<F extends Finding<FindingId>>(
  finding: F,
  { fixedSysctls }: Facts,
): F {
  const isPossible = ({ on, command }: Fix) =>
    on !== undefined ||
    !settingsIn(command).some((path) => fixedSysctls?.has(path));
  return finding.fix.every(isPossible)
    ? finding
    : { ...finding, fix: finding.fix.filter(isPossible) };
}

/** Runs the checks for the wanted kinds. @param wanted whether a kind is wanted, by its id */
export function examine(
  checks: readonly Check[],
  facts: Facts,
  wanted: (id: FindingId) => boolean = () => true,
): Examination {
  const findings: Finding<FindingId>[] = [];
  const examined: FindingId[] = [];
  const unexamined: { id: FindingId; wanting: keyof Facts }[] = [];
  for (const { ids, needs, examine: look, rulesOut } of checks) {
    const some = ids.filter(wanted);
    if (some.length === 0) continue;
    const wanting = needs.find((name) => facts[name] === undefined);
    if (wanting !== undefined) {
      unexamined.push(...some.map((id) => ({ id, wanting })));
      continue;
    }
    const found = look(facts).filter(({ id }) => some.includes(id));
    if (found.length > 0 || rulesOut(facts)) examined.push(...some);
    findings.push(...found);
  }
  return {
    findings: sortFindings(
      findings.map((finding) => withPossibleFixes(finding, facts)),
      facts.allServices ?? facts.table ?? [],
    ),
    examined,
    unexamined,
  };
}
