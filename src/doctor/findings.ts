import { DIRECTOR_KINDS } from "./director/kinds.js";
import { REAL_SERVER_KINDS } from "./real-server/kinds.js";
import { SEVERITIES, type Finding, type Kind } from "./finding.js";

/** Every kind of finding, in the order in which the manual has them. */
export const KINDS = [
  ...DIRECTOR_KINDS,
  ...REAL_SERVER_KINDS,
] as const satisfies readonly Kind[];

export type FindingId = (typeof KINDS)[number]["id"];

const KIND_OF: ReadonlyMap<string, Kind> = new Map(
  KINDS.map((kind) => [kind.id, kind]),
);

/** What is the same of all findings of an id; undefined if there is none of this name. */
export function kindNamed(id: string): Kind | undefined {
  return KIND_OF.get(id);
}

/** What is the same of all findings of an id. */
export function kindOf({ id }: Finding<FindingId>): Kind {
  const kind = kindNamed(id);
  if (!kind) throw new Error(`${id} is not in the table of findings`);
  return kind;
}

/** A finding's kind with all findings of it. */
export interface Diagnosis {
  readonly kind: Kind;
  readonly findings: readonly Finding<FindingId>[];
}

/** Findings kind by kind, the gravest first. */
export function diagnosesOf(
  findings: readonly Finding<FindingId>[],
): Diagnosis[] {
  return SEVERITIES.flatMap((severity) =>
    KINDS.filter((kind) => kind.severity === severity).flatMap((kind) => {
      const some = findings.filter(({ id }) => id === kind.id);
      return some.length === 0 ? [] : [{ kind, findings: some }];
    }),
  );
}
