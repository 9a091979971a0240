import type { NameLookups } from "./name-lookups.js";
import { readClassic } from "./read-classic.js";
import { readDocument } from "./read-document.js";
import type { RuleFile } from "./rule-file.js";
import { formatOf } from "./detect-format.js";
import { decodeUtf8 } from "./text-lines.js";

/** In UTF-8. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";

/**
 * Reads a file of rules, with all that is wrong with it. It asks no kernel, and the network only for hosts that are
 * named.
 *
 * @param name of the file, by which its format is told where its content does not tell
 * @param bytes its content, one character a byte
 */
export async function readRules(
  name: string,
  bytes: string,
  names: NameLookups,
): Promise<RuleFile> {
  const text = bytes.startsWith(BYTE_ORDER_MARK) ? bytes.slice(3) : bytes;
  const format = formatOf(name, text);
  return format === "rules"
    ? readClassic(name, text, names)
    : readDocument(name, format, decodeUtf8(text));
}
