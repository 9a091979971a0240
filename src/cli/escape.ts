/*
 * Within the subcommands text is Unicode. The streams, and the words of the command line, have one character a
 * byte: here the two meet.
 */

/** Text as UTF-8, one character a byte. */
export function toBytes(text: string): string {
  return /^[\0-\x7f]*$/.test(text)
    ? text
    : Buffer.from(text, "utf8").toString("latin1");
}

/** What a text of one character a byte says in UTF-8; what is not UTF-8 becomes U+FFFD. */
export function fromBytes(bytes: string): string {
  return /^[\0-\x7f]*$/.test(bytes)
    ? bytes
    : Buffer.from(bytes, "latin1").toString("utf8");
}

/**
 * What came from elsewhere (names, files, the command line), fit for a terminal: control characters, and those
 * that turn the direction of writing or break a line, become question marks.
 */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, "?");
}
