/**
 * The kinds of command line errors.
 *
 * - `not-a-command`: the line does not begin with a command
 * - `scanner`: an unknown option, a missing value, or a value that the option does not take
 * - `value`: an invalid value of an option
 * - `combination`: options that do not go together
 */
export type FaultKind = "not-a-command" | "scanner" | "value" | "combination";

/** An invalid command line, with the original's message. */
export class UsageFault extends Error {
  override readonly name = "UsageFault";

  /**
   * @param sentence the original's message; empty for `not-a-command`
   * @param word the position of the invalid word, counted from 0, if there is one
   * @param option the name of the option that conflicts with others, if there is one
   */
  constructor(
    readonly kind: FaultKind,
    readonly sentence: string,
    readonly word?: number,
    readonly option?: string,
  ) {
    super(sentence || "the command line does not begin with a command");
  }
}

/**
 * The command line contains a host name that was not looked up yet. The caller must look it up and
 * parse again.
 */
export class UnresolvedHost extends Error {
  override readonly name = "UnresolvedHost";

  constructor(readonly host: string) {
    super(`the address of ${host} is not known yet`);
  }
}
