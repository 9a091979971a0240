import type { Part, Place, Rule, RuleFinding, RuleFile } from "./rule-file.js";
import { decodeUtf8 } from "./text-lines.js";

/** Something to say about a rule, before it has a place. */
export interface Finding {
  readonly id: string;
  readonly fault: string;
  readonly advice?: string;
  /** Of the rule; undefined: all of it */
  readonly part?: Part;
}

/** What of a file tells where its rules stand. */
export type FindingContext = Pick<
  RuleFile,
  "format" | "table" | "invalid" | "placeOf" | "pathOf"
>;

/** A remark at the place of its rule. What it repeats of command lines has one character a byte. */
export function placed(
  file: Pick<FindingContext, "format" | "placeOf" | "pathOf">,
  rule: Rule,
  { part, ...remark }: Finding,
): RuleFinding {
  const path = file.pathOf(rule, part);
  return {
    place: file.placeOf(rule, part) ?? { line: 1, column: 1 },
    ...(file.format === "rules" ? decodeFinding(remark) : remark),
    ...(path !== undefined && { path }),
  };
}

/** A remark that repeats text of one character a byte, as Unicode. */
export function decodeFinding<R extends Omit<Finding, "part">>(remark: R): R {
  const { fault, advice } = remark;
  return {
    ...remark,
    fault: decodeUtf8(fault),
    ...(advice !== undefined && { advice: decodeUtf8(advice) }),
  };
}

/** The order of the text. */
export function byPlace(
  { place: a }: { readonly place: Place },
  { place: b }: { readonly place: Place },
): number {
  return a.line - b.line || a.column - b.column;
}
