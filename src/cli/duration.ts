/** Days, hours, minutes, seconds. */
const UNIT_SECONDS = [86_400, 3600, 60, 1];

/** Longer ones are mistakes: 10 years. */
const LONGEST_SECONDS = 10 * 365 * 86_400;

/**
 * Reads a duration as people write it: `90s`, `5m`, `1h30m`, `2d`, the greater units first; a number alone is seconds.
 * What `shortDuration` writes is read, too.
 *
 * @returns seconds; undefined if it is none
 */
export function parseDuration(text: string): number | undefined {
  if (/^[0-9]{1,9}$/.test(text)) return within(Number(text));
  const [all, ...parts] =
    /^(?:([0-9]{1,9})d ?)?(?:([0-9]{1,9})h ?)?(?:([0-9]{1,9})m ?)?(?:([0-9]{1,9})s)?$/.exec(
      text,
    ) ?? [];
  if (all === undefined || all === "" || all.endsWith(" ")) return undefined;
  return within(
    parts.reduce(
      (sum, part: string | undefined, i) =>
        sum + Number(part ?? 0) * (UNIT_SECONDS[i] ?? 0),
      0,
    ),
  );
}

function within(seconds: number): number | undefined {
  return seconds <= LONGEST_SECONDS ? seconds : undefined;
}
