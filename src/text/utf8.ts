/** Decodes UTF-8 from a text with one character per byte. Invalid bytes become U+FFFD. */
export function decodeUtf8(bytes: string): string {
  return /^[\0-\x7f]*$/.test(bytes)
    ? bytes
    : Buffer.from(bytes, "latin1").toString("utf8");
}
