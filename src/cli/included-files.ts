import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { IncludedFile } from "../rules/included-files.js";
import { decodeUtf8 } from "../text/utf8.js";

/**
 * Finds the files that a configuration includes. `*`, `?`, `[…]` and `{a,b}` are wildcards.
 *
 * @param pattern an absolute path, or relative to the folder of the including file
 * @param from the including file
 */
export function findIncluded(pattern: string, from: string): IncludedFile[] {
  return alternatives(pattern)
    .flatMap((one) => matches(resolve(dirname(from), one)))
    .map((name) => ({ name, text: textOf(name) }));
}

/** Expands braces: `{a,b}.conf` becomes `a.conf` and `b.conf`. */
function alternatives(pattern: string): string[] {
  const [whole, before = "", list = "", after = ""] =
    /^(.*?)\{([^{}]*)\}(.*)$/.exec(pattern) ?? [];
  return whole === undefined
    ? [pattern]
    : list
        .split(",")
        .flatMap((word) => alternatives(`${before}${word}${after}`));
}

/** The paths that match a pattern, sorted. */
function matches(pattern: string): string[] {
  let found = ["/"];
  const parts = pattern.split("/").filter((part) => part !== "");
  for (const part of parts) {
    const wildcard = /[*?[]/.test(part) ? wildcardOf(part) : undefined;
    found = found.flatMap((folder) =>
      namesIn(folder)
        .filter((name) => (wildcard ? wildcard.test(name) : name === part))
        .map((name) => join(folder, name)),
    );
  }
  return found;
}

/** @returns undefined if the pattern is malformed, such as `[z-a]`: it then stands for itself */
function wildcardOf(part: string): RegExp | undefined {
  const source = part.replace(/\[!?[^\]]*\]|[.*+?^${}()|[\]\\]/g, (special) => {
    if (special === "*") return ".*";
    if (special === "?") return ".";
    return special.length > 1
      ? special.replace(/\\/g, "\\\\").replace("[!", "[^")
      : `\\${special}`;
  });
  // Names that begin with a dot are hidden, unless the pattern names the dot.
  const hidden = part.startsWith(".") ? "" : "(?!\\.)";
  try {
    return new RegExp(`^${hidden}${source}$`);
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** @returns undefined if it cannot be read. A pipe or device could block the reader forever, so it is not read */
function textOf(name: string): string | undefined {
  try {
    if (!statSync(name).isFile()) return undefined;
    return decodeUtf8(readFileSync(name, "latin1"));
  } catch {
    return undefined;
  }
}
