/** JSON as it was parsed. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };

/** A member of an object; undefined if there is none. */
export function member(
  object: Json | undefined,
  name: string,
): Json | undefined {
  return typeof object === "object" && object !== null && !Array.isArray(object)
    ? (object as Readonly<Record<string, Json>>)[name]
    : undefined;
}

/** The items of a list; a single item is a list of one. */
export function listOf(value: Json | undefined): readonly Json[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly Json[]) : [value];
}

/** A string or a number as text. */
export function textOf(value: Json | undefined): string {
  return typeof value === "string" || typeof value === "number"
    ? String(value)
    : "";
}
