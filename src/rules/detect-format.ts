import { checkerOfName, detectConfiguration } from "./detect-configuration.js";
import type { Format } from "./rule-file.js";

/** A classic command line begins with an option, or with the name of the program. */
const RULE = /^(?:ipvsadm[ \t]+)*--?[A-Za-z]/;
/** YAML begins with a key, an item of a list, a directive, or the start of a document. */
const YAML = /^(?:[\w"'][^\s:]*\s*:(?:\s|$)|-\s|---|%)/;

/**
 * Detects the format from the first line that is neither blank nor a comment: `{` starts JSON, an option such as `-A`
 * starts rules, a key such as `services:` starts YAML. Configurations of keepalived and ldirectord start with their
 * keywords. If that is ambiguous (there is no such line, YAML that starts with `{`, or anything else), the name decides:
 * .json, .yaml, .yml, keepalived*.conf, .cf; otherwise rules.
 *
 * @param name of the file
 */
export function detectFormat(name: string, text: string): Format {
  const first = firstLine(text);
  const named = formatOfName(name);
  if (RULE.test(first)) return "rules";
  if (first.startsWith("{") || first.startsWith("["))
    return named === "yaml" ? "yaml" : "json";
  if (YAML.test(first)) return named ?? "yaml";
  return detectConfiguration(text) ?? named ?? checkerOfName(name) ?? "rules";
}

/** The first line that is neither blank nor a comment, without leading blanks; empty if there is none. */
function firstLine(text: string): string {
  for (let start = text.startsWith("\ufeff") ? 1 : 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end).trim();
    if (line !== "" && !line.startsWith("#")) return line;
    start = end + 1;
  }
  return "";
}

function formatOfName(name: string): "json" | "yaml" | undefined {
  if (/\.json$/i.test(name)) return "json";
  return /\.ya?ml$/i.test(name) ? "yaml" : undefined;
}
