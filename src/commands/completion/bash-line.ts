import type { Line } from "./cursor.js";

/** A command line of bash. */
export interface BashLine extends Line {
  /** Whether the cursor is after `<` or `>` */
  readonly redirected: boolean;
  /** The beginning of the word at the cursor that readline keeps. A candidate replaces only the rest */
  readonly kept: string;
  /** The open quotation mark of the word at the cursor */
  readonly quote: string;
}

interface Token {
  text: string;
  kept: string;
  quote: string;
  redirected: boolean;
}

/**
 * Splits a simple command into words, as bash does, but without expansions.
 *
 * @param before the text before the cursor
 * @param after the text after the cursor
 * @param breaks COMP_WORDBREAKS: characters at which readline starts a new word, but bash does not
 */
export function readBashLine(
  before: string,
  after: string,
  breaks: string,
): BashLine {
  const tokens = tokensOf(before, breaks);
  const current = tokens.at(-1) ?? newToken(false);
  const words = wordsOf(tokens.slice(0, -1));
  // Text directly after the cursor belongs to the word at the cursor. It is ignored.
  const rest = /^\S*\s/.test(after) ? after.replace(/^\S*\s+/, "") : "";
  const following = wordsOf(tokensOf(`${rest} `, breaks).slice(0, -1));
  const { redirected, kept, quote } = current;
  const command = words.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  const args = command < 0 ? [] : words.slice(command + 1);
  return {
    words: [...args, current.text, ...following],
    index: args.length,
    redirected,
    kept,
    quote,
  };
}

function wordsOf(tokens: readonly Token[]): string[] {
  return tokens.filter(({ redirected }) => !redirected).map(({ text }) => text);
}

function newToken(redirected: boolean): Token {
  return { text: "", kept: "", quote: "", redirected };
}

/** Splits a text. The last token is the one at the end of the text, and may be empty. */
function tokensOf(text: string, breaks: string): Token[] {
  const tokens: Token[] = [];
  let token = newToken(false);
  let started = false;
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (token.quote !== "") {
      const escaped = token.quote === '"' && /^\\["\\$`]/.test(text.slice(i));
      if (escaped) token.text += text.charAt(++i);
      else if (char === token.quote) token.quote = "";
      else token.text += char;
    } else if (/\s/.test(char)) {
      if (started) tokens.push(token);
      if (started) token = newToken(false);
      started = false;
    } else if (char === "<" || char === ">") {
      // The number of a file descriptor belongs to the redirection.
      if (started && !/^([0-9]+|&)?$/.test(token.text)) tokens.push(token);
      token = newToken(true);
      started = false;
    } else if (char === '"' || char === "'") {
      token.quote = char;
      token.kept = token.text;
      started = true;
    } else if (char === "\\") {
      token.text += text.charAt(++i);
      started = true;
    } else {
      token.text += char;
      if (breaks.includes(char)) token.kept = token.text;
      started = true;
    }
  }
  return [...tokens, token];
}

/** Returns the text that readline must insert for a value. Undefined: the value does not match what readline keeps. */
export function forBash(
  value: string,
  { kept, quote }: Pick<BashLine, "kept" | "quote">,
): string | undefined {
  if (!value.startsWith(kept)) return undefined;
  const rest = value.slice(kept.length);
  return quote === "" ? rest.replace(/[[\]]/g, "\\$&") : rest;
}
