import type { OptionSyntax } from "../../grammar/scanner.js";

/** What may stand at the cursor. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** Candidates; or the shell is to look for files. */
export type Candidates = readonly Candidate[] | "files";

/** Values without descriptions. */
export function plain(values: Iterable<string>): Candidate[] {
  return Array.from(values, (value) => ({ value, description: "" }));
}

export function described(
  values: Iterable<readonly [string, string]>,
): Candidate[] {
  return Array.from(values, ([value, description]) => ({ value, description }));
}

/** The table of an option that begin with what is written; of an empty word, the shortest one. */
export function table(
  { short = "", long }: OptionSyntax,
  text: string,
  description: string,
): Candidate[] {
  const all = [...Array.from(short, (letter) => `-${letter}`), `--${long}`];
  const fitting =
    text === "" ? all.slice(0, 1) : all.filter((one) => one.startsWith(text));
  return fitting.map((value) => ({ value, description }));
}

/** The same with a text before each. */
export function behind(
  head: string,
  candidates: readonly Candidate[],
): Candidate[] {
  return candidates.map((one) => ({ ...one, value: head + one.value }));
}

/** What may be the next of several values between commas; those that are there are not offered again. */
export function listed(
  text: string,
  candidates: readonly Candidate[],
): Candidate[] {
  const head = text.slice(0, text.lastIndexOf(",") + 1);
  const there = new Set(head.split(","));
  return candidates
    .filter(({ value }) => !there.has(value))
    .map((one) => ({ ...one, value: head + one.value }));
}
