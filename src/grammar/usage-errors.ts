/**
 * The command line is at fault.
 *
 * `not-a-command`: it does not begin with a command. `scanner`: an option is unknown, lacks its value
 * or has one too many. `value`: an option's value is not what it takes. `combination`: the options
 * do not go together.
 */
export type FaultKind = "not-a-command" | "scanner" | "value" | "combination";

/** A command line that cannot be carried out, with the original's sentence for it. */
export class UsageFault extends Error {
  override readonly name = "UsageFault";

  /**
   * @param sentence what the original prints; empty for `not-a-command`
   * @param word which word of the line is at fault, counted from 0, where one is
   * @param option the name of the option that does not go with the rest, where one does not
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

/** A host name stands where an address can: whoever parses must find it out and parse again. */
export class UnresolvedHost extends Error {
  override readonly name = "UnresolvedHost";

  constructor(readonly host: string) {
    super(`the address of ${host} is not known yet`);
  }
}
