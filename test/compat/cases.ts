import type { Step } from "./duel.js";

/** A sequence of commands on an empty table. */
export interface Case {
  readonly name: string;
  readonly steps: readonly (Step & { readonly shows: readonly string[] })[];
}

/**
 * Parses a file of cases. A case is a paragraph: `#` and its name, then one command per line.
 *
 *     # an added service is listed
 *     -A -t 10.0.0.1:80 -s rr
 *     -Ln
 *     > TCP  10.0.0.1:80 rr
 *
 * Words are quoted as in a shell: '…', or $'…' with \n, \t and \xHH. `| ` begins a line of standard
 * input. `> ` begins a text that the original must print.
 *
 * @throws if a line is malformed
 */
export function readCases(text: string): Case[] {
  return text
    .split(/\n{2,}/)
    .filter((paragraph) => paragraph.trim() !== "")
    .map(readCase);
}

function readCase(paragraph: string): Case {
  const [title = "", ...lines] = paragraph.trim().split("\n");
  if (!title.startsWith("# "))
    throw new Error(`a case without a name: ${title}`);
  const steps: { words: string[]; stdin?: string; shows: string[] }[] = [];
  for (const line of lines) {
    const last = steps.at(-1);
    if (last && line.startsWith("> ")) last.shows.push(line.slice(2));
    else if (last && (line.startsWith("| ") || line === "|"))
      last.stdin = `${last.stdin ?? ""}${unescape(line.slice(2))}\n`;
    else steps.push({ words: shellWords(line), shows: [] });
  }
  if (steps.length === 0) throw new Error(`a case without commands: ${title}`);
  return { name: title.slice(2), steps };
}

/** Splits a line into words. `.` stands for a command without words. */
export function shellWords(line: string): string[] {
  if (line === ".") return [];
  const words: string[] = [];
  const pattern = /((?:\$'(?:[^'\\]|\\.)*'|'[^']*'|[^\s'])+)\s*/gy;
  let end = 0;
  for (const match of line.matchAll(pattern)) {
    end = match.index + match[0].length;
    words.push(
      (match[1] ?? "").replace(
        /(\$?)'((?:[^'\\]|\\.)*)'/g,
        (_, dollar: string, inner: string) =>
          dollar ? unescape(inner) : inner,
      ),
    );
  }
  if (end !== line.length || words.length === 0)
    throw new Error(`cannot be split into words: ${line}`);
  return words;
}

function unescape(text: string): string {
  return text.replace(
    /\\(x[0-9a-f]{2}|.)/g,
    (_, code: string) =>
      ({ n: "\n", t: "\t", r: "\r", v: "\v", "0": "\0", "\\": "\\" })[code] ??
      String.fromCharCode(Number.parseInt(code.slice(1), 16)),
  );
}
