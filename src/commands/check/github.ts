import { escapeControls } from "../../cli/escape.js";
import { messageOf, type Checked, type CheckFinding } from "./check-report.js";

/*
 * Workflow commands of GitHub Actions: each makes an annotation at a line of a file. See "Workflow commands for GitHub
 * Actions" in its documentation.
 */

/** A workflow command for each finding, and for each file that could not be read. */
export function* workflowCommands(
  checked: readonly Checked[],
): Generator<string> {
  for (const { name, unreadable, findings } of checked) {
    if (unreadable !== undefined)
      yield command("error", { file: fileOf(name) }, unreadable);
    for (const finding of findings) yield annotation(name, finding);
  }
}

function annotation(name: string, finding: CheckFinding): string {
  const { severity, id, position } = finding;
  const place = {
    file: fileOf(name),
    line: String(position.line),
    col: String(position.column),
    title: id,
  };
  return command(severity, place, messageOf(finding));
}

/** Standard input has no file in the repository. */
function fileOf(name: string): string | undefined {
  return name === "-" ? undefined : escapeControls(name);
}

function command(
  name: string,
  properties: Readonly<Record<string, string | undefined>>,
  message: string,
): string {
  const words = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${escapedProperty(value)}`],
  );
  return `::${name} ${words.join(",")}::${escapedData(escapeControls(message))}`;
}

/** Escapes what would end the command or start another one. */
function escapedData(text: string): string {
  return text
    .replaceAll("%", "%25")
    .replaceAll("\r", "%0D")
    .replaceAll("\n", "%0A");
}

/** Escapes what would also end the property. */
function escapedProperty(text: string): string {
  return escapedData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
