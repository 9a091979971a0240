/** The actions of fleet, with their summaries, in the order of the help. The command line needs them without their code. */
export const ACTIONS = [
  ["init", "create the roles and users of etcd"],
  ["publish", "store a table as a new revision"],
  ["history", "list the revisions of a table"],
  ["show", "print a revision"],
  ["diff", "compare two revisions of a table"],
  ["rollback", "publish an older revision again"],
  ["rollout", "give a staged revision to directors in waves"],
  ["status", "show what each director has applied"],
  ["drain", "drain a real server on all directors"],
  ["undrain", "end a drain"],
  ["override", "pause or resume a director"],
  ["forget", "remove the report of a director that is gone"],
  ["agent", "keep this director's table as published"],
] as const;

export type ActionName = (typeof ACTIONS)[number][0];

/** The summary of an action. */
export function summaryOf(name: ActionName): string {
  return ACTIONS.find(([one]) => one === name)?.[1] ?? "";
}
