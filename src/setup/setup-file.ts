import type { Machine, Step } from "./step.js";

/** A file that makes a part of the set-up last over a reboot. */
export interface SetupFile {
  /** Where it belongs */
  readonly path: string;
  /** Sentences about the file that do not belong into it */
  readonly notes?: readonly string[];
  readonly lines: readonly string[];
}

/** A format of files. */
export interface FileFormat {
  /** @throws {SiteIncomplete} */
  filesOf(machine: Machine): SetupFile[];
  /** The commands that remove the files and what they made. */
  undoLines(machine: Machine): string[];
}

export type StepOf<K extends Step["kind"]> = Extract<Step, { kind: K }>;

/** The steps of some kinds, in their order. */
export function stepsOf<K extends Step["kind"]>(
  { steps }: Machine,
  ...kinds: readonly K[]
): StepOf<K>[] {
  return steps.filter((step): step is StepOf<K> =>
    (kinds as readonly string[]).includes(step.kind),
  );
}

/** No file if there is nothing to write into it. */
export function fileOf(
  path: string,
  lines: readonly string[],
  notes: readonly string[] = [],
): SetupFile[] {
  return lines.length === 0 ? [] : [{ path, notes, lines }];
}
