import { readRules } from "../../src/rules/read-rules.js";
import type { NameLookups } from "../../src/rules/name-lookups.js";
import { warningsOf } from "../../src/rules/warnings.js";
import { fakeLookups } from "./name-lookups.js";

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
  names: NameLookups = fakeLookups(),
): Promise<string[]> {
  const bytes = Buffer.from(text).toString("latin1");
  const file = await readRules("-", bytes, names);
  return [
    ...file.faults.map(said("error")),
    ...warningsOf(file).map(said("warning")),
  ];
}
