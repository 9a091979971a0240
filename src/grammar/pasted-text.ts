/*
 * Recognizes text that is often pasted where rules belong. Text has one character per byte, as in all classic input.
 */

/** A line of the listing of -L. */
const LISTING =
  /^(?:IP Virtual Server version |Prot LocalAddress:Port|-> RemoteAddress:Port)/;

/** Whether a line belongs to a listing of -L, of which none is a rule. */
export function isListing(line: string): boolean {
  return LISTING.test(line.trim());
}

export const LISTING_MESSAGE = "this is a listing, not rules";
export const LISTING_ADVICE =
  "save rules with 'ipvsadm-save -n' or 'ipvsadm -Sn'";

/** The UTF-8 bytes of hyphens, dashes and the minus sign of typography. */
const DASH = /\xe2(?:\x80[\x90-\x95]|\x88\x92)/;
const NO_BREAK_SPACE = "\xc2\xa0";

/**
 * What to do about a line that is not a rule, if it looks pasted.
 *
 * @param words of the line
 * @param at the index of the word in error; undefined if the line does not begin with a command
 */
export function pastedTextAdvice(
  words: readonly string[],
  at: number | undefined,
): string | undefined {
  const dash = words.map((word) => DASH.exec(word)?.[0]).find(Boolean);
  if (dash !== undefined)
    return `"${dash}" is a typographic dash: write "-" or "--"`;
  if (words.some((word) => word.includes(NO_BREAK_SPACE)))
    return "replace the non-breaking spaces by spaces";
  const word = words[at ?? 0] ?? "";
  return prefixAdvice(word) ?? wordAdvice(word, at ?? 0);
}

/** Advice for a word that stands before the command in a shell. */
function prefixAdvice(word: string): string | undefined {
  if (word === "sudo" || word === "doas") return `remove ${word}`;
  if (word.endsWith("/ipvsadm"))
    return "write ipvsadm without its path, or leave it out";
  return /^[$%>]$|^\[?[\w.-]+@|.[$#%>]$/.test(word)
    ? "remove the shell prompt"
    : undefined;
}

function wordAdvice(word: string, at: number): string | undefined {
  if (word === "(null)")
    return "replace (null) by the forwarding method: -g, -i or -m";
  if (word.startsWith("#")) return "a comment needs its own line";
  if (word === "\\") return "a rule cannot continue on the next line";
  if (/^["']|["']$/.test(word)) return "remove the quotes: rules have none";
  if (isSeparator(word) || (at > 0 && isCommand(word)))
    return "write each rule on its own line";
  return undefined;
}

function isSeparator(word: string): boolean {
  return /^(?:;|&&|\|\|?)$|.;$/.test(word);
}

function isCommand(word: string): boolean {
  return /^(?:-[AEDCaed]|--(?:add|edit|delete)-(?:service|server)|--clear)$/.test(
    word,
  );
}
