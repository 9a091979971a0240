const WHOLE = /^[ \t\n\v\f\r]*[+-]?[0-9]+$/;

/**
 * Reads a whole decimal number as strtol(3) does: blanks before it and a sign pass, anything after it
 * does not.
 *
 * @returns undefined if it is not one or lies outside the limits
 */
export function parseWhole(
  text: string,
  minimum: number,
  maximum: number,
): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  const value = Number(text) + 0; // and not the negative zero of `-0`
  return value >= minimum && value <= maximum ? value : undefined;
}

/**
 * Reads the digits with which a text ends.
 *
 * @param start where they begin
 * @returns undefined if there are none or something else, or if the number is too large
 */
export function parseDigits(
  text: string,
  start: number,
  maximum: number,
): number | undefined {
  if (start >= text.length) return undefined;
  let value = 0;
  for (let at = start; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= maximum ? value : undefined;
}

const LONG_MAXIMUM = 2n ** 63n - 1n;
const LONG_MINIMUM = -(2n ** 63n);

/** Reads a number as atoi(3) does: what follows it is ignored, and what is too large is cut to 32 bits. */
export function parseLeadingWhole(text: string): number {
  const match = /^[ \t\n\v\f\r]*([+-]?)([0-9]+)/.exec(text);
  if (!match) return 0;
  const [, sign, digits = ""] = match;
  const value = sign === "-" ? -BigInt(digits) : BigInt(digits);
  const long =
    value > LONG_MAXIMUM
      ? LONG_MAXIMUM
      : value < LONG_MINIMUM
        ? LONG_MINIMUM
        : value;
  return Number(BigInt.asIntN(32, long));
}
