import { readRules } from "../../src/rules/read.js";
import type { RuleNames } from "../../src/rules/rule-names.js";
import { warningsOf } from "../../src/rules/warnings.js";
import { someNames } from "./names.js";

const said = (severity: string) => {
  return ({
    place,
    id,
  }: {
    place: { line: number; column: number };
    id: string;
  }) => `${place.line}:${place.column} ${severity} ${id}`;
};

/** What is found in a text: `LINE:COLUMN error ID`, the errors first. */
export async function found(
  text: string,
  names: RuleNames = someNames(),
): Promise<string[]> {
  const bytes = Buffer.from(text).toString("latin1");
  const file = await readRules("-", bytes, names);
  return [
    ...file.faults.map(said("error")),
    ...warningsOf(file).map(said("warning")),
  ];
}
