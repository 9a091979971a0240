/**
 * The words of a line that -R reads: they stand between blanks, tabs and carriage returns, and there is
 * no quoting. The program's own name is dropped wherever it stands, so that scripts of ipvsadm commands
 * can be read; a zero byte ends its word.
 *
 * @param starts is given where each word begins, if somebody wants to know
 * @returns no words for an empty line and for a comment, whose first word begins with `#`
 */
export function ruleWords(line: string, starts?: number[]): string[] {
  const words: string[] = [];
  for (let start = 0; start < line.length; start++) {
    let end = start;
    while (end < line.length && !isBlank(line.charCodeAt(end))) end++;
    if (end > start) {
      const word = line.slice(start, end);
      const zero = word.indexOf("\0");
      const text = zero < 0 ? word : word.slice(0, zero);
      if (text !== "ipvsadm") {
        words.push(text);
        starts?.push(start);
      }
    }
    start = end;
  }
  return words[0]?.startsWith("#") ? [] : words;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d;
}
