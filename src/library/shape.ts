import { InvalidArgument } from "./invalid-argument.js";

/** A mistake in a value. */
export interface Mistake {
  /** Where: `.flags` or `[3]`; empty for the value itself */
  readonly path: string;
  readonly expected: string;
  /** undefined if it is missing */
  readonly given: string | undefined;
  readonly hint?: string | undefined;
}

/** Checks a value. @returns the first mistake in it; undefined if there is none */
export type Shape = (value: unknown) => Mistake | undefined;

/** An argument of a function. */
export type Parameter = readonly [name: string, shape: Shape];

/** How long a value may be in a message. */
const LONGEST_QUOTE = 40;

/** A value in a message. Control characters are escaped. */
function describe(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string") {
    const text =
      value.length > LONGEST_QUOTE
        ? `${value.slice(0, LONGEST_QUOTE)}…`
        : value;
    return JSON.stringify(text).replace(
      /[\x7f-\x9f]/g,
      (one) => `\\u00${one.charCodeAt(0).toString(16)}`,
    );
  }
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  if (typeof value === "symbol") return "a symbol";
  if (value === null) return "null";
  if (typeof value === "number" || typeof value === "boolean")
    return String(value);
  if (value instanceof Uint8Array)
    return `a Uint8Array of ${value.length} bytes`;
  return Array.isArray(value) ? "an array" : "an object";
}

function wrong(value: unknown, expected: string, hint?: string): Mistake {
  return { path: "", expected, given: describe(value), hint };
}

function inside(
  step: string,
  mistake: Mistake | undefined,
): Mistake | undefined {
  return mistake && { ...mistake, path: `${step}${mistake.path}` };
}

/** A value for which a test is true. */
export function such(
  expected: string,
  test: (value: unknown) => boolean,
): Shape {
  return (value) => (test(value) ? undefined : wrong(value, expected));
}

/** An integer in a range. */
export function integer(least: number, most: number): Shape {
  return such(
    `an integer from ${least} to ${most}`,
    (value) =>
      typeof value === "number" &&
      Number.isInteger(value) &&
      value >= least &&
      value <= most,
  );
}

export const text: Shape = such(
  "a string",
  (value) => typeof value === "string",
);

export const flag: Shape = such(
  "true or false",
  (value) => typeof value === "boolean",
);

export const callback: Shape = such(
  "a function",
  (value) => typeof value === "function",
);

/** One of some values. */
export function oneOf(...values: readonly (string | number)[]): Shape {
  const words = values.map((one) => JSON.stringify(one)).join(", ");
  return such(values.length === 1 ? words : `one of ${words}`, (value) =>
    values.some((one) => one === value),
  );
}

/** A value that may be missing. */
export function optional(shape: Shape): Shape {
  return (value) => (value === undefined ? undefined : shape(value));
}

/** A value with one of two shapes. */
export function either(
  first: Shape,
  second: Shape,
  isFirst: (value: unknown) => boolean,
): Shape {
  return (value) => (isFirst(value) ? first : second)(value);
}

export function isObject(
  value: unknown,
): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

/**
 * An object with these fields. Others are ignored.
 *
 * @param expected what it is: `the settings of a service`
 * @param hint what helps if a field is missing
 */
export function object(
  expected: string,
  fields: Readonly<Record<string, Shape>>,
  hint?: string,
): Shape {
  return (value) => {
    if (!isObject(value)) return wrong(value, expected);
    for (const [name, shape] of Object.entries(fields)) {
      const mistake = inside(`.${name}`, shape(value[name]));
      if (mistake)
        return mistake.given === undefined && mistake.hint === undefined
          ? { ...mistake, hint }
          : mistake;
    }
    return undefined;
  };
}

/** An array of values with a shape. */
export function listOf(expected: string, shape: Shape): Shape {
  return (value) => {
    if (!Array.isArray(value)) return wrong(value, expected);
    for (const [i, item] of value.entries()) {
      const mistake = inside(`[${i}]`, shape(item));
      if (mistake) return mistake;
    }
    return undefined;
  };
}

/** A value that has to pass both checks. */
export function both(first: Shape, second: Shape): Shape {
  return (value) => first(value) ?? second(value);
}

/** The error for the first wrong argument of a call; undefined if all are right. */
export function invalidArgument(
  call: string,
  parameters: readonly Parameter[],
  values: readonly unknown[],
): InvalidArgument | undefined {
  for (const [i, [name, shape]] of parameters.entries()) {
    const mistake = shape(values[i]);
    if (!mistake) continue;
    const { path, expected, given, hint } = mistake;
    return new InvalidArgument(call, `${name}${path}`, expected, given, hint);
  }
  return undefined;
}

/** Checks the arguments of a call. @throws {InvalidArgument} for the first wrong one */
export function checkCall(
  call: string,
  ...values: readonly (readonly [name: string, value: unknown, shape: Shape])[]
): void {
  const error = invalidArgument(
    call,
    values.map(([name, , shape]) => [name, shape]),
    values.map(([, value]) => value),
  );
  if (error) throw error;
}
