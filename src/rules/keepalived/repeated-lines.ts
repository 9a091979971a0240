/** The parameters of one repetition, with their values. */
export type Variables = ReadonlyMap<string, string>;

const MAXIMUM_REPETITIONS = 65536;
const NAME = /^[A-Za-z_]\w*$/;

/**
 * The values of `~SEQ(NAME, START, STEP, END)`. STEP and START can be omitted.
 *
 * @returns undefined if the range is malformed or too long
 */
export function sequenceValues(
  range: string,
  hexadecimal: boolean,
): Variables[] | undefined {
  const [name = "", ...given] = range.split(",").map((word) => word.trim());
  const numbers = given.map(integer);
  const end = numbers.at(-1);
  if (!NAME.test(name) || numbers.length > 3 || end === undefined)
    return undefined;
  const start = numbers.length > 1 ? numbers[0] : end < 0 ? -1 : 1;
  if (start === undefined) return undefined;
  const step = numbers.length > 2 ? numbers[1] : end < start ? -1 : 1;
  if (step === undefined || step === 0) return undefined;
  const count = Math.floor((end - start) / step) + 1;
  if (count > MAXIMUM_REPETITIONS) return undefined;
  return Array.from({ length: Math.max(count, 0) }, (_, i) => {
    const value = start + i * step;
    return new Map([[name, value.toString(hexadecimal ? 16 : 10)]]);
  });
}

function integer(text: string): number | undefined {
  return /^[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)$/.test(text)
    ? text.startsWith("-")
      ? -Number(text.slice(1))
      : Number(text.replace(/^\+/, ""))
    : undefined;
}

/**
 * The values of `~LST(NAME, VALUE, …)` or `~LST({NAME, NAME}, {VALUE, VALUE}, …)`.
 *
 * @returns undefined if the list is malformed
 */
export function listValues(list: string): Variables[] | undefined {
  const tuples = Array.from(
    list.matchAll(/\{([^{}]*)\}|([^,{}]+)/g),
    ([, group, word]) =>
      (group?.split(",") ?? [word ?? ""]).map((value) => value.trim()),
  ).filter(([first, ...rest]) => first !== "" || rest.length > 0);
  const [names = [], ...rows] = tuples;
  if (
    rows.length === 0 ||
    !names.every((name) => NAME.test(name)) ||
    rows.some((row) => row.length !== names.length)
  )
    return undefined;
  return rows.map(
    (row) => new Map(names.map((name, i) => [name, row[i] ?? ""])),
  );
}
