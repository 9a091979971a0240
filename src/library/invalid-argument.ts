/**
 * A call of the library has a wrong argument: a missing setting, a wrong type, or a number outside of
 * its range. The message names the function, the argument, what was expected and what was given.
 * Nothing was sent to the kernel. TypeScript finds most of them before the program runs.
 *
 * @since 0.2.0
 */
export class InvalidArgument extends TypeError {
  override readonly name = "InvalidArgument";
  /** What to do next, as a phrase without a period */
  readonly advice: string;

  /**
   * @param call the function, such as `IpvsClient.addService`
   * @param path the argument, and the field in it
   * @param expected what is allowed there
   * @param given what was given; undefined if it is missing
   * @param hint what helps, besides giving what is expected
   */
  constructor(
    /** The function, such as `IpvsClient.addService` */
    readonly call: string,
    /** The argument, and the field in it, such as `settings.flags` */
    readonly path: string,
    /** What is allowed there, such as `an integer from 0 to 65535` */
    readonly expected: string,
    given: string | undefined,
    hint?: string,
  ) {
    super(
      `${call}(): ${path} is ${given ?? "missing"}: expected ${expected}${hint === undefined ? "" : `; ${hint}`}`,
    );
    this.advice = hint ?? `give ${expected}`;
  }
}
