/**
 * The words of a line that -R reads: they stand between blanks, tabs and carriage returns, and there is
 * no quoting. The program's own name is dropped wherever it stands, so that scripts of ipvsadm commands
 * can be read; a zero byte ends its word.
 *
 * @param starts is given where each word begins, if somebody wants to know
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

/** The words of a line that has something in it that is to be left out, or whose places are wanted. */
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
