/*
 * In the subcommands, text is Unicode. In the streams and in argv, a string has one character per byte. These functions
 * convert between the two.
 */

/** Encodes text as UTF-8, one character per byte. */
export function toBytes(text: string): string {
  return /^[\0-\x7f]*$/.test(text)
    ? text
    : Buffer.from(text, "utf8").toString("latin1");
}

/** Decodes UTF-8, one character per byte. */
export { decodeUtf8 as fromBytes } from "../text/utf8.js";

/**
 * Makes text from a network, a file or the command line safe for a terminal: control characters, line separators and
 * characters that change the writing direction become question marks.
 */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, "?");
}
