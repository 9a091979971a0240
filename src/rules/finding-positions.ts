import type {
  Part,
  Position,
  Rule,
  RuleFinding,
  RuleFile,
} from "./rule-file.js";
import { decodeUtf8 } from "../text/utf8.js";

/** An error or a warning of a rule, without its position. */
export interface Finding {
  readonly id: string;
  readonly message: string;
  readonly advice?: string;
  /** The part of the rule that it concerns; undefined for the whole rule */
  readonly part?: Part;
}

/** The parts of a file that are needed to check its table and to find positions. */
export type LocatedRules = Pick<
  RuleFile,
  "format" | "table" | "invalid" | "positionOf" | "pathOf"
>;

/** The formats whose names have one character per byte in the model. */
const FORMATS_OF_BYTES: readonly string[] = ["rules", "json", "yaml"];

/** A finding at the position of its rule. Quotes of names are decoded: they have one character per byte. */
export function atRule(
  file: Pick<LocatedRules, "format" | "positionOf" | "pathOf">,
  rule: Rule,
  { part, ...finding }: Finding,
): RuleFinding {
  const path = file.pathOf(rule, part);
  return {
    position: file.positionOf(rule, part) ?? { line: 1, column: 1 },
    ...(FORMATS_OF_BYTES.includes(file.format)
      ? decodeFinding(finding)
      : finding),
    ...(path !== undefined && { path }),
    rule,
  };
}

function decodeFinding<F extends Omit<Finding, "part">>(finding: F): F {
  const { message, advice } = finding;
  return {
    ...finding,
    message: decodeUtf8(message),
    ...(advice !== undefined && { advice: decodeUtf8(advice) }),
  };
}

/** Compares by position in the text. */
export function byPosition(
  { position: a }: { readonly position: Position },
  { position: b }: { readonly position: Position },
): number {
  return a.line - b.line || a.column - b.column;
}
