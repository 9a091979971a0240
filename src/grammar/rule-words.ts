/**
 * Splits a line for -R into words, at spaces, tabs and carriage returns. There is no quoting. The
 * word `ipvsadm` is dropped, so that scripts of ipvsadm commands can be read. A zero byte ends its
 * word.
 *
 * @param starts receives the position of each word, if given
 * @returns no words for an empty line and for a comment, whose first word begins with `#`
 */
export function ruleWords(line: string, starts?: number[]): string[] {
  const words =
    starts || line.includes("\0") || line.includes(PROGRAM)
      ? placedWords(line, starts)
      : plainWords(line);
  return words[0]?.startsWith("#") ? [] : words;
}

/** Most lines have one blank between two words: to look for that first is quickest. */
function plainWords(line: string): string[] {
  if (line.includes("\t") || line.includes("\r"))
    return line.match(WORDS) ?? [];
  const words = line.split(" ");
  return words.includes("") ? words.filter((word) => word !== "") : words;
}

const PROGRAM = "ipvsadm";
const WORDS = /[^ \t\r]+/g;

/** Splits a line that contains words to drop, or whose positions are requested. */
function placedWords(line: string, starts: number[] | undefined): string[] {
  const words: string[] = [];
  for (const { 0: word, index } of line.matchAll(WORDS)) {
    const zero = word.indexOf("\0");
    const text = zero < 0 ? word : word.slice(0, zero);
    if (text === PROGRAM) continue;
    words.push(text);
    starts?.push(index);
  }
  return words;
}
