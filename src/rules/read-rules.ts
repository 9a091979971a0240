import { detectFormat } from "./detect-format.js";
import type { HealthChecker } from "./health-checks.js";
import type { FindIncluded } from "./included-files.js";
import type { NameLookups } from "./name-lookups.js";
import { readClassic } from "./read-classic.js";
import { readDocument } from "./read-document.js";
import type { RuleFile } from "./rule-file.js";
import { decodeUtf8 } from "../text/utf8.js";

/** In UTF-8. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";

/**
 * Reads a file of rules, with all its errors. Uses no kernel, and the network only to look up host names.
 *
 * @param name of the file; its extension decides if the content does not show the format
 * @param bytes the content, with one character per byte
 * @param find undefined if a configuration cannot include files
 */
export async function readRules(
  name: string,
  bytes: string,
  names: NameLookups,
  find?: FindIncluded,
): Promise<RuleFile> {
  const hasMark = bytes.startsWith(BYTE_ORDER_MARK);
  const text = hasMark ? bytes.slice(BYTE_ORDER_MARK.length) : bytes;
  const format = detectFormat(name, text);
  if (format === "json" || format === "yaml")
    return readDocument(name, format, decodeUtf8(text));
  if (format !== "rules")
    return readConfiguration(name, format, decodeUtf8(text), names, find);
  const file = await readClassic(name, text, names);
  return hasMark ? withMarkWarning(file) : file;
}

/** Reads the configuration of a health checker. */
async function readConfiguration(
  name: string,
  program: HealthChecker,
  text: string,
  names: NameLookups,
  find: FindIncluded | undefined,
): Promise<RuleFile> {
  if (program === "keepalived") {
    const { readKeepalived } = await import("./keepalived/read-keepalived.js");
    return readKeepalived(name, text, find);
  }
  const { readLdirectord } = await import("./ldirectord/read-ldirectord.js");
  return readLdirectord(name, text, names);
}

/** Only -R is affected, and documents are not for -R. */
function withMarkWarning(file: RuleFile): RuleFile {
  return {
    ...file,
    textWarnings: [
      {
        position: { line: 1, column: 1 },
        id: "byte-order-mark",
        message:
          "the file begins with a byte order mark, which 'ipvsadm -R' refuses",
        advice: "save the file as UTF-8 without a byte order mark",
      },
      ...file.textWarnings,
    ],
  };
}
