/**
 * Three bits of a service's flags, whose meaning depends on the scheduler.
 *
 * @see IP_VS_SVC_F_SCHED1 to IP_VS_SVC_F_SCHED3 in linux/ip_vs.h
 */
const BITS = [0x08, 0x10, 0x20] as const;

/**
 * A scheduler flag.
 *
 * @since 0.1.0
 */
export interface SchedulerFlag {
  /** The bit in {@link ServiceSettings.flags} */
  readonly bit: number;
  /**
   * The scheduler that the flag belongs to; absent for `flag-1` to `flag-3`, which every scheduler
   * accepts
   */
  readonly scheduler?: string;
}

/** Names that schedulers have for the bits. For all other schedulers the bits are numbered. */
const OWN_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ["sh", ["sh-fallback", "sh-port"]],
  ["mh", ["mh-fallback", "mh-port"]],
]);
const NUMBERED = ["flag-1", "flag-2", "flag-3"];

/**
 * Finds a scheduler flag by its name: `sh-fallback`, `sh-port`, `mh-fallback`, `mh-port`, or
 * `flag-1` to `flag-3`.
 *
 * @returns undefined if there is no such flag
 * @see IP_VS_SVC_F_SCHED_SH_FALLBACK and others in linux/ip_vs.h
 * @since 0.1.0
 */
export function schedulerFlag(name: string): SchedulerFlag | undefined {
  for (const [scheduler, names] of OWN_NAMES) {
    const bit = BITS[names.indexOf(name)];
    if (bit !== undefined) return { bit, scheduler };
  }
  const bit = BITS[NUMBERED.indexOf(name)];
  return bit === undefined ? undefined : { bit };
}

/**
 * The names of the scheduler flags that are set. Leaves out bits for which the scheduler has no
 * name, as `ipvsadm -L` does.
 *
 * @param scheduler the scheduler's name, such as `sh`
 * @param flags the flags of a service; other bits are ignored
 * @since 0.1.0
 */
export function schedulerFlagNames(scheduler: string, flags: number): string[] {
  const names = OWN_NAMES.get(scheduler) ?? NUMBERED;
  return names.filter((_, i) => flags & (BITS[i] ?? 0));
}

/** The scheduler bits in a service's flags. */
export const ALL_SCHEDULER_FLAGS = BITS[0] | BITS[1] | BITS[2];

/**
 * The names of all scheduler bits that are set. A bit without a name of its own is `flag-1`,
 * `flag-2` or `flag-3`.
 */
export function schedulerBitNames(scheduler: string, flags: number): string[] {
  const own = OWN_NAMES.get(scheduler) ?? [];
  return NUMBERED.map((numbered, i) => own[i] ?? numbered).filter(
    (_, i) => flags & (BITS[i] ?? 0),
  );
}

/**
 * The names of all flags that a scheduler accepts; with undefined, of all schedulers. For
 * completion.
 */
export function schedulerFlagsFor(scheduler: string | undefined): string[] {
  const own =
    scheduler === undefined
      ? [...OWN_NAMES.values()].flat()
      : (OWN_NAMES.get(scheduler) ?? []);
  return [...own, ...NUMBERED];
}
