import {
  formatSelector,
  selects,
  UnknownSelected,
  type ServiceSelector,
} from "../../grammar/selector.js";
import type { Scope } from "../../plan/compare.js";
import type { CurrentState } from "../../plan/current-state.js";
import type { StateParts } from "../../plan/current-state.js";
import type { Table } from "../../ipvs/table.js";
import { nearest } from "../../text/nearest.js";
import type { RuleFile } from "../../rules/rule-file.js";
import type { Names } from "../../system/names.js";
import type { Arguments } from "../parser.js";
import { CommandError } from "../errors.js";
import { named } from "../rule-file.js";
import { readService } from "../selectors.js";
import { escapeControls } from "../escape.js";

/** The scope of restore: the table becomes exactly what the file describes. */
export const WHOLE_TABLE: Scope = { prune: true, keepWeights: false };

/** A scope, and the services of --only. */
export interface SelectedScope extends Scope {
  readonly selected: readonly {
    readonly text: string;
    readonly selector: ServiceSelector;
  }[];
}

/** Reads the scope from the options of the command line. @throws {SelectorFault} */
export async function readScope(
  given: Arguments,
  names: Names,
): Promise<SelectedScope> {
  const selected = await Promise.all(
    given.list("only").map(async (text) => ({
      text,
      selector: await readService(text, names),
    })),
  );
  return {
    prune: !given.flag("no-prune"),
    keepWeights: given.flag("keep-weights"),
    selected,
    ...(selected.length > 0 && {
      only: (key) => selected.some(({ selector }) => selects(selector, key)),
    }),
  };
}

/**
 * Refuses to remove anything on the basis of a filtered listing. Even for the services that it contains, real servers
 * may have been left out.
 *
 * @throws {CommandError} if the file is marked partial and the scope prunes
 */
export function checkWhole({ name, table }: RuleFile, { prune }: Scope): void {
  if (table.partial && prune)
    throw new CommandError(
      `${named(name)} is a filtered listing ("partial": true): services and real servers that it leaves out would be removed`,
      "nothing was changed; use --no-prune with 'ipvsadm apply' or 'ipvsadm diff', or a listing without filters",
    );
}

/** Which parts of the current state to read: those that the file describes. */
export function partsOf(desired: Table, { only }: Scope): StateParts {
  return {
    timeouts: !only && desired.timeouts !== undefined,
    daemons: !only && desired.daemons !== undefined,
  };
}

/** Checks that each service of --only exists. @throws {UnknownSelected} if one is neither in the file nor in the table */
export function checkSelected(
  { selected }: SelectedScope,
  desired: Table,
  current: CurrentState,
): void {
  const keys = [...desired.services, ...current.services].map(({ key }) => key);
  for (const { text, selector } of selected) {
    if (keys.some((key) => selects(selector, key))) continue;
    const known = keys.map(formatSelector);
    const near = nearest(text, known) ?? nearest(`tcp/${text}`, known);
    throw new UnknownSelected(
      `service ${escapeControls(text)} is neither in the file nor in the table`,
      near === undefined
        ? "'ipvsadm list' shows all services"
        : `did you mean ${near}?`,
    );
  }
}
