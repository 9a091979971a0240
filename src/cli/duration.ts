/** Days, hours, minutes, seconds. */
const UNIT_SECONDS = [86_400, 3600, 60, 1];

/** 10 years. A longer duration is a mistake. */
const LONGEST_SECONDS = 10 * 365 * 86_400;

/**
 * Parses a duration: `90s`, `5m`, `1h30m`, `2d`, larger units first. A number without a unit is seconds.
 * Also parses what `shortDuration` prints.
 *
 * @returns seconds. Undefined if the text is not a duration
 */
export function parseDuration(text: string): number | undefined {
  if (/^[0-9]{1,9}$/.test(text)) return limited(Number(text));
  const [all, ...parts] =
    /^(?:([0-9]{1,9})d ?)?(?:([0-9]{1,9})h ?)?(?:([0-9]{1,9})m ?)?(?:([0-9]{1,9})s)?$/.exec(
      text,
    ) ?? [];
  if (all === undefined || all === "" || all.endsWith(" ")) return undefined;
  return limited(
    parts.reduce(
      (sum, part: string | undefined, i) =>
        sum + Number(part ?? 0) * (UNIT_SECONDS[i] ?? 0),
      0,
    ),
  );
}

function limited(seconds: number): number | undefined {
  return seconds <= LONGEST_SECONDS ? seconds : undefined;
}
