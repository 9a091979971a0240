import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import type { Json, Members } from "../../document/json-text.js";
import { VERSION } from "../../runtime/version.js";
import {
  messageOf,
  shortLine,
  type Checked,
  type CheckFinding,
} from "./check-report.js";

/*
 * SARIF, the format of code scanning services. See the OASIS standard "Static Analysis Results Interchange Format (SARIF)
 * Version 2.1.0".
 */

const SCHEMA =
  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/** Stands for the folder from which relative paths start. */
const ROOT = "%SRCROOT%";

/** The findings as a SARIF log with one run. */
export function sarifLog(checked: readonly Checked[]): Json {
  const ids = [
    ...new Set(checked.flatMap(({ findings }) => findings.map(({ id }) => id))),
  ].sort();
  return {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "ipvsadm check",
            version: VERSION,
            rules: ids.map((id) => ({ id })),
          },
        },
        // Columns count the units of UTF-16, as JavaScript does.
        columnKind: "utf16CodeUnits",
        invocations: [invocationOf(checked)],
        results: checked.flatMap((one) =>
          one.findings.map((finding) => resultOf(finding, one, ids)),
        ),
      },
    ],
  };
}

/** Whether all files could be read, and why not. */
function invocationOf(checked: readonly Checked[]): Members {
  const unread = checked.filter(({ file }) => !file);
  return {
    executionSuccessful: unread.length === 0,
    toolExecutionNotifications: unread.map(({ name, unreadable }) => ({
      level: "error",
      message: { text: unreadable ?? "" },
      locations: [{ physicalLocation: { artifactLocation: artifactOf(name) } }],
    })),
  };
}

function resultOf(
  finding: CheckFinding,
  { name, file, namesOf }: Checked,
  ids: readonly string[],
): Members {
  const { id, severity, position } = finding;
  const text = shortLine(file?.line(position.line));
  const { service, server } = namesOf(finding);
  const names = [service, server].filter((word) => typeof word === "string");
  return {
    ruleId: id,
    ruleIndex: ids.indexOf(id),
    level: severity,
    message: { text: messageOf(finding) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: artifactOf(name),
          region: {
            startLine: position.line,
            startColumn: position.column,
            snippet: text === undefined ? undefined : { text },
          },
        },
        logicalLocations:
          names.length === 0
            ? undefined
            : [{ fullyQualifiedName: names.join(" "), kind: "object" }],
      },
    ],
  };
}

/** A file as a URI, relative paths from where the program was called. */
function artifactOf(name: string): Members {
  if (name === "-") return { uri: "stdin" };
  if (isAbsolute(name)) return { uri: pathToFileURL(name).href };
  const uri = name
    .split("/")
    .map((part) => encodeURIComponent(part))
    .join("/");
  return { uri, uriBaseId: ROOT };
}
