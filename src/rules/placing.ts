import type { Part, Place, Rule, RuleFault, RuleFile } from "./file.js";

/** Something to say about a rule, before it has a place. */
export interface Remark {
  readonly id: string;
  readonly fault: string;
  readonly advice?: string;
  /** Of the rule; undefined: all of it */
  readonly part?: Part;
}

/** What of a file tells where its rules stand. */
export type Placing = Pick<
  RuleFile,
  "table" | "unsound" | "placeOf" | "pathOf"
>;

/** A remark at the place of its rule. */
export function placed(
  file: Pick<Placing, "placeOf" | "pathOf">,
  rule: Rule,
  { part, ...remark }: Remark,
): RuleFault {
  const path = file.pathOf(rule, part);
  return {
    place: file.placeOf(rule, part) ?? { line: 1, column: 1 },
    ...remark,
    ...(path !== undefined && { path }),
  };
}

/** The order of the text. */
export function byPlace(
  { place: a }: { readonly place: Place },
  { place: b }: { readonly place: Place },
): number {
  return a.line - b.line || a.column - b.column;
}
