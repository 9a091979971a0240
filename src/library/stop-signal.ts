/**
 * Stops long work: an `AbortSignal`. Only these members are used, so that the declarations need
 * neither those of Node.js nor those of browsers.
 *
 * @since 0.2.0
 */
export interface StopSignal {
  /** Whether the work must stop */
  readonly aborted: boolean;
  /** Why */
  readonly reason?: unknown;
  /** Calls a function when the work must stop. */
  addEventListener(type: "abort", listener: () => void): void;
  /** Undoes {@link StopSignal.addEventListener}. */
  removeEventListener(type: "abort", listener: () => void): void;
}
