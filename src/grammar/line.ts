/**
 * The words of a line that -R reads: they stand between blanks, tabs and carriage returns, and there is
 * no quoting. The program's own name is dropped wherever it stands, so that scripts of ipvsadm commands
 * can be read; a zero byte ends its word.
 *
 * @returns no words for an empty line and for a comment, whose first word begins with `#`
 */
export function ruleWords(line: string): string[] {
  const words = line
    .split(/[ \t\r]+/)
    .filter((word) => word !== "")
    .map((word) => word.replace(/\0.*$/s, ""))
    .filter((word) => word !== "ipvsadm");
  return words[0]?.startsWith("#") ? [] : words;
}
