import type { Line } from "./cursor.js";

/** A command line of bash as far as it concerns completion. */
export interface BashLine extends Line {
  /** Whether the cursor is behind `<` or `>` */
  readonly redirected: boolean;
  /** What of the word at the cursor readline leaves alone: it puts a candidate in the place of what follows that */
  readonly kept: string;
  /** The quotation mark that the word at the cursor is within, if it is */
  readonly quote: string;
}

interface Token {
  text: string;
  kept: string;
  quote: string;
  redirected: boolean;
}

/**
 * Splits a simple command into words, as bash would do it if it expanded nothing.
 *
 * @param before what stands before the cursor
 * @param after what follows it
 * @param breaks characters at which readline begins a word of its own, though bash does not: COMP_WORDBREAKS
 */
export function readBashLine(
  before: string,
  after: string,
  breaks: string,
): BashLine {
  const tokens = tokensOf(before, breaks);
  const current = tokens.at(-1) ?? begin(false);
  const words = wordsOf(tokens.slice(0, -1));
  // What follows the cursor without a blank belongs to the word at the cursor, and is left alone.
  const rest = /^\S*\s/.test(after) ? after.replace(/^\S*\s+/, "") : "";
  const following = wordsOf(tokensOf(`${rest} `, breaks).slice(0, -1));
  const { redirected, kept, quote } = current;
  const command = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  const own = command < 0 ? [] : words.slice(command + 1);
  return {
    words: [...own, current.text, ...following],
    index: own.length,
    redirected,
    kept,
    quote,
  };
}

function wordsOf(tokens: readonly Token[]): string[] {
  return tokens.filter(({ redirected }) => !redirected).map(({ text }) => text);
}

function begin(redirected: boolean): Token {
  return { text: "", kept: "", quote: "", redirected };
}

/** The words; the last one is that at the end of the text, be it empty. */
function tokensOf(text: string, breaks: string): Token[] {
  const tokens: Token[] = [];
  let token = begin(false);
  let begun = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (token.quote !== "") {
      const escaped = token.quote === '"' && /^\\["\\$`]/.test(text.slice(i));
      if (escaped) token.text += text.charAt(++i);
      else if (char === token.quote) token.quote = "";
      else token.text += char;
    } else if (/\s/.test(char)) {
      if (begun) tokens.push(token);
      if (begun) token = begin(false);
      begun = false;
    } else if (char === "<" || char === ">") {
      // The number of a descriptor belongs to the sign.
      if (begun && !/^([0-9]+|&)?$/.test(token.text)) tokens.push(token);
      token = begin(true);
      begun = false;
    } else if (char === '"' || char === "'") {
      token.quote = char;
      token.kept = token.text;
      begun = true;
    } else if (char === "\\") {
      token.text += text.charAt(++i);
      begun = true;
    } else {
      token.text += char;
      if (breaks.includes(char)) token.kept = token.text;
      begun = true;
    }
  }
  return [...tokens, token];
}

/** What bash is to insert for a value, so that it stands for itself on the line. Undefined: it does not fit. */
export function forBash(
  value: string,
  { kept, quote }: Pick<BashLine, "kept" | "quote">,
): string | undefined {
  if (!value.startsWith(kept)) return undefined;
  const rest = value.slice(kept.length);
  return quote === "" ? rest.replace(/[[\]]/g, "\\$&") : rest;
}
