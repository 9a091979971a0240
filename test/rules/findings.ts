import { readRules } from "../../src/rules/read-rules.js";
import type { NameLookups } from "../../src/rules/name-lookups.js";
import { warningsOf } from "../../src/rules/warnings.js";
import { fakeLookups } from "./name-lookups.js";

const texts = (severity: string) => {
  return ({
    position,
    id,
  }: {
    position: { line: number; column: number };
    id: string;
  }) => `${position.line}:${position.column} ${severity} ${id}`;
};

/** The findings in a text, as `LINE:COLUMN error ID`; the errors first. */
export async function findingsIn(
  text: string,
  names: NameLookups = fakeLookups(),
): Promise<string[]> {
  const bytes = Buffer.from(text).toString("latin1");
  const file = await readRules("-", bytes, names);
  return [
    ...file.errors.map(texts("error")),
    ...warningsOf(file).map(texts("warning")),
  ];
}
