import { UsageError } from "../../cli/errors.js";
import { escapeControls } from "../../cli/escape.js";
import type { ArgumentSpec } from "../../cli/spec.js";
import { isFleetName } from "../../fleet/keys.js";

/** The argument NAME. */
export const TABLE_NAME: ArgumentSpec = {
  name: "NAME",
  required: true,
  description:
    "the name of the table: letters, digits, dots, dashes and underscores",
};

/** The argument DIRECTOR. */
export const DIRECTOR_NAME: ArgumentSpec = {
  name: "DIRECTOR",
  required: true,
  description: "the name of a director",
};

/** Checks a name of the command line. @throws {UsageError} */
export function fleetName(text: string, what: string, action: string): string {
  if (isFleetName(text)) return text;
  throw new UsageError(
    `${escapeControls(text)} is not the name of a ${what}: expected letters, digits, dots, dashes and underscores`,
    `fleet ${action}`,
  );
}

/** Checks the number of a revision. @throws {UsageError} */
export function revisionNumber(text: string, action: string): number {
  if (/^[1-9][0-9]{0,9}$/.test(text)) return Number(text);
  throw new UsageError(
    `${escapeControls(text)} is not the number of a revision`,
    `fleet ${action}`,
  );
}
