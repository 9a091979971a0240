import type { Part, Place, Rule, RuleFault, RuleFile } from "./file.js";
import { decoded } from "./lines.js";

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
  "format" | "table" | "unsound" | "placeOf" | "pathOf"
>;

/** A remark at the place of its rule. What it repeats of command lines has one character a byte. */
export function placed(
  file: Pick<Placing, "format" | "placeOf" | "pathOf">,
  rule: Rule,
  { part, ...remark }: Remark,
): RuleFault {
  const path = file.pathOf(rule, part);
  return {
    place: file.placeOf(rule, part) ?? { line: 1, column: 1 },
    ...(file.format === "rules" ? legible(remark) : remark),
    ...(path !== undefined && { path }),
  };
}

/** A remark that repeats text of one character a byte, as Unicode. */
export function legible<R extends Omit<Remark, "part">>(remark: R): R {
  const { fault, advice } = remark;
  return {
    ...remark,
    fault: decoded(fault),
    ...(advice !== undefined && { advice: decoded(advice) }),
  };
}

/** The order of the text. */
export function byPlace(
  { place: a }: { readonly place: Place },
  { place: b }: { readonly place: Place },
): number {
  return a.line - b.line || a.column - b.column;
}
