const WHOLE = /^[ \t\n\v\f\r]*[+-]?[0-9]+$/;

/**
 * Parses a decimal integer like strtol(3): allows leading spaces and a sign, but nothing after the
 * number.
 *
 * @returns undefined if the text is not an integer or not within the limits
 */
export function parseWhole(
  text: string,
  minimum: number,
  maximum: number,
): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  const value = Number(text) + 0; // turns the negative zero of `-0` into 0
  return value >= minimum && value <= maximum ? value : undefined;
}

/**
 * Parses the decimal digits at the end of a text.
 *
 * @param start where the digits begin
 * @returns undefined if there are no digits or other characters, or if the number is too large
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

/** Parses an integer like atoi(3): ignores text after it, and truncates it to 32 bits. */
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
