import {
  formatSelector,
  selects,
  UnknownSelected,
  type ServiceSelector,
} from "../../grammar/selector.js";
import type { Existing, Scope } from "../../plan/compare.js";
import type { Parts } from "../../plan/snapshot.js";
import type { Table } from "../../ipvs/table.js";
import { nearest } from "../../text/nearest.js";
import type { RuleFile } from "../../rules/file.js";
import type { Names } from "../../system/names.js";
import type { Arguments } from "../parser.js";
import { CommandError } from "../errors.js";
import { named } from "../rule-file.js";
import { readService } from "../selectors.js";
import { escapeControls } from "../escape.js";

/** Everything that a file says, and nothing else. */
export const WHOLE: Scope = { prune: true, keepWeights: false };

/** A scope, and the words that it was made of. */
export interface WantedScope extends Scope {
  readonly selected: readonly {
    readonly text: string;
    readonly meant: ServiceSelector;
  }[];
}

/** What of a file counts, by the options of the command line. @throws {SelectorFault} */
export async function readScope(
  given: Arguments,
  names: Names,
): Promise<WantedScope> {
  const selected = await Promise.all(
    given.list("only").map(async (text) => ({
      text,
      meant: await readService(text, names),
    })),
  );
  return {
    prune: !given.flag("no-prune"),
    keepWeights: given.flag("keep-weights"),
    selected,
    ...(selected.length > 0 && {
      only: (key) => selected.some(({ meant }) => selects(meant, key)),
    }),
  };
}

/**
 * A part of a table does not tell what is to be removed: not even of the services that it has, whose real servers may
 * have been left out.
 *
 * @throws {CommandError} when it is to be told by one
 */
export function checkWhole({ name, table }: RuleFile, { prune }: Scope): void {
  if (table.partial && prune)
    throw new CommandError(
      `${named(name)} is a part of a table, as a filtered listing is: it does not tell what is to be removed, so nothing was changed`,
      "--no-prune with 'ipvsadm apply' and 'ipvsadm diff' removes nothing; 'ipvsadm list' without filters has the whole table",
    );
}

/** Which parts of what the kernel has are to be compared. */
export function partsOf(wanted: Table, { only }: Scope): Parts {
  return {
    timeouts: !only && wanted.timeouts !== undefined,
    daemons: !only && wanted.daemons !== undefined,
  };
}

/** @throws {UnknownSelected} when a service that was named is neither wanted nor there */
export function checkSelected(
  { selected }: WantedScope,
  wanted: Table,
  existing: Existing,
): void {
  const keys = [...wanted.services, ...existing.services].map(({ key }) => key);
  for (const { text, meant } of selected) {
    if (keys.some((key) => selects(meant, key))) continue;
    const known = keys.map(formatSelector);
    const near = nearest(text, known) ?? nearest(`tcp/${text}`, known);
    throw new UnknownSelected(
      `service ${escapeControls(text)} is neither in the file nor in the table`,
      near === undefined
        ? "'ipvsadm list' shows those that there are"
        : `did you mean ${near}?`,
    );
  }
}
