import type { Format } from "./rule-file.js";

/** Whether a line is a classic command line: it begins with an option, or the program's name. */
const RULE = /^(?:ipvsadm[ \t]+)*--?[A-Za-z]/;
/** Whether a line is YAML rather than a rule: a key, a list's item, a directive, the begin of a document. */
const YAML = /^(?:[\w"'][^\s:]*\s*:(?:\s|$)|-\s|---|%)/;

/**
 * How a text is written. Its first line that is neither blank nor a comment tells: `{` begins JSON, an option such
 * as `-A` classic rules, a key such as `services:` YAML. Where that leaves it open (there is no such line, YAML that
 * begins with `{`, something that is none of all) the name counts: what ends in .json, .yaml or .yml is what it says,
 * all else are rules.
 *
 * @param name of the file
 */
export function formatOf(name: string, text: string): Format {
  const first = firstLine(text);
  const named = namedFormat(name);
  if (RULE.test(first)) return "rules";
  if (first.startsWith("{") || first.startsWith("["))
    return named === "yaml" ? "yaml" : "json";
  if (YAML.test(first)) return named ?? "yaml";
  return named ?? "rules";
}

function firstLine(text: string): string {
  const found = /^\s*(?!#)(\S.*)$/m.exec(text.replace(/^\ufeff/, ""));
  return found?.[1] ?? "";
}

function namedFormat(name: string): Format | undefined {
  if (/\.json$/i.test(name)) return "json";
  return /\.ya?ml$/i.test(name) ? "yaml" : undefined;
}
