import { DIRECTOR_KINDS } from "./director/kinds.js";
import { REAL_SERVER_KINDS } from "./real-server/kinds.js";
import { CERTAINTIES, SEVERITIES, type Finding, type Kind } from "./finding.js";

/** Every kind of finding, in the order of the manual. */
export const KINDS = [
  ...DIRECTOR_KINDS,
  ...REAL_SERVER_KINDS,
] as const satisfies readonly Kind[];

export type FindingId = (typeof KINDS)[number]["id"];

const KIND_OF: ReadonlyMap<string, Kind> = new Map(
  KINDS.map((kind) => [kind.id, kind]),
);

/** The kind with this id; undefined if there is none. */
export function kindNamed(id: string): Kind | undefined {
  return KIND_OF.get(id);
}

/** The kind of a finding. */
export function kindOf({ id }: Finding<FindingId>): Kind {
  const kind = kindNamed(id);
  if (!kind) throw new Error(`${id} is not in the table of findings`);
  return kind;
}

/** A kind with its findings. */
export interface Diagnosis {
  readonly kind: Kind;
  readonly findings: readonly Finding<FindingId>[];
}

/** Groups findings by kind: most severe first, then most certain, then in the order of the manual. Those of a kind keep their order. */
export function diagnosesOf(
  findings: readonly Finding<FindingId>[],
): Diagnosis[] {
  return SEVERITIES.flatMap((severity) =>
    CERTAINTIES.flatMap((certainty) =>
      KINDS.filter((kind) => kind.severity === severity).flatMap((kind) => {
        const some = findings.filter(
          (finding) =>
            finding.id === kind.id &&
            (finding.certainty ?? "proven") === certainty,
        );
        return some.length === 0 ? [] : [{ kind, findings: some }];
      }),
    ),
  );
}
