import type { OptionSyntax } from "../../grammar/scanner.js";

/** A text that completion offers. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** Candidates. `files`: the shell completes file names. */
export type Candidates = readonly Candidate[] | "files";

/** Makes candidates without descriptions. */
export function plain(values: Iterable<string>): Candidate[] {
  return Array.from(values, (value) => ({ value, description: "" }));
}

/** Makes candidates from values and descriptions. */
export function described(
  values: Iterable<readonly [string, string]>,
): Candidate[] {
  return Array.from(values, ([value, description]) => ({ value, description }));
}

/** Returns the spellings of an option that begin with a text. For an empty text: the shortest one. */
export function spellings(
  { short = "", long }: OptionSyntax,
  text: string,
  description: string,
): Candidate[] {
  const all = [...Array.from(short, (letter) => `-${letter}`), `--${long}`];
  const fitting =
    text === "" ? all.slice(0, 1) : all.filter((one) => one.startsWith(text));
  return fitting.map((value) => ({ value, description }));
}

/** Puts a prefix before each value. */
export function prefixed(
  prefix: string,
  candidates: readonly Candidate[],
): Candidate[] {
  return candidates.map((one) => ({ ...one, value: prefix + one.value }));
}

/** Returns the candidates for the next value of a comma-separated list, without those that the list already contains. */
export function nextInList(
  text: string,
  candidates: readonly Candidate[],
): Candidate[] {
  const prefix = text.slice(0, text.lastIndexOf(",") + 1);
  const given = new Set(prefix.split(","));
  return candidates
    .filter(({ value }) => !given.has(value))
    .map((one) => ({ ...one, value: prefix + one.value }));
}
