/** Three bits of a service's flags mean what its scheduler takes them for. @see IP_VS_SVC_F_SCHED* */
const BITS = [0x08, 0x10, 0x20] as const;

/** A flag that means something to a scheduler. */
export interface SchedulerFlag {
  /** The bit in the flags of a service */
  readonly bit: number;
  /** The only one that knows it; absent if it is for all */
  readonly scheduler?: string;
}

/** What some schedulers call their bits; for all others they are numbered. */
const OWN_NAMES: ReadonlyMap<string, readonly string[]> = new Map([
  ["sh", ["sh-fallback", "sh-port"]],
  ["mh", ["mh-fallback", "mh-port"]],
]);
const NUMBERED = ["flag-1", "flag-2", "flag-3"];

/**
 * A flag by its name, such as `sh-port` or `flag-1`, with the scheduler that it belongs to if it is not for all.
 *
 * @returns undefined if there is none
 */
export function schedulerFlag(name: string): SchedulerFlag | undefined {
  for (const [scheduler, names] of OWN_NAMES) {
    const bit = BITS[names.indexOf(name)];
    if (bit !== undefined) return { bit, scheduler };
  }
  const bit = BITS[NUMBERED.indexOf(name)];
  return bit === undefined ? undefined : { bit };
}

/** The names of the scheduler's flags that are set; of bits that it has no name for, none. */
export function schedulerFlagNames(scheduler: string, flags: number): string[] {
  const names = OWN_NAMES.get(scheduler) ?? NUMBERED;
  return names.filter((_, i) => flags & (BITS[i] ?? 0));
}

/** The bits of a service's flags that are its scheduler's. */
export const ALL_SCHEDULER_FLAGS = BITS[0] | BITS[1] | BITS[2];

/** A name for every one of the scheduler's bits that is set: its own, or else its number. None is left out. */
export function schedulerBitNames(scheduler: string, flags: number): string[] {
  const own = OWN_NAMES.get(scheduler) ?? [];
  return NUMBERED.map((numbered, i) => own[i] ?? numbered).filter(
    (_, i) => flags & (BITS[i] ?? 0),
  );
}

/** The names of the flags that a service may have; undefined: with whatever scheduler it will get. */
export function schedulerFlagsFor(scheduler: string | undefined): string[] {
  const own =
    scheduler === undefined
      ? [...OWN_NAMES.values()].flat()
      : (OWN_NAMES.get(scheduler) ?? []);
  return [...own, ...NUMBERED];
}
