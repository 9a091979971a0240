/** A value in the text of a document, with its position. */
export interface Node {
  /** Where it starts: characters from the start of the text */
  readonly offset: number;
  readonly value: Scalar | readonly Node[] | Members;
}

/** The fields of an object. */
export type Members = ReadonlyMap<string, Member>;

/** A field of an object. */
export interface Member extends Node {
  /** Where its name starts */
  readonly nameOffset: number;
}

/** An integer that a double cannot represent is a bigint, with all its digits. */
export type Scalar = string | number | bigint | boolean | null;

/** A document that was parsed, but not interpreted. */
export interface ParsedDocument {
  readonly text: string;
  readonly root: Node;
}

/** One error in a document. */
export interface DocumentError {
  /** The path of the value: `services[3].servers[0].weight`; empty for the document itself */
  readonly path: string;
  /** What is wrong. It may quote the document: escape it before it is shown. */
  readonly message: string;
  /** What to do about it */
  readonly advice?: string;
  /** Counted from 1 */
  readonly line: number;
  /** Counted from 1, in characters */
  readonly column: number;
}

/** A document with errors, in the order of the text. */
export class MalformedDocument extends Error {
  override readonly name = "MalformedDocument";

  constructor(readonly errors: readonly DocumentError[]) {
    super(errors.map(errorText).join("\n"));
  }
}

/** `line 3, column 7: services[0].weight: …` */
function errorText({
  path,
  message,
  advice,
  line,
  column,
}: DocumentError): string {
  const subject = path === "" ? "" : `${path}: `;
  const hint = advice === undefined ? "" : `; ${advice}`;
  return `line ${line}, column ${column}: ${subject}${message}${hint}`;
}

/** The line and column of an offset, both counted from 1. */
export function positionOf(
  text: string,
  offset: number,
): { line: number; column: number } {
  const [position] = positionsOf(text, [offset]);
  return position ?? { line: 1, column: 1 };
}

/** The lines and columns of ascending offsets. Goes through the text once. */
export function positionsOf(
  text: string,
  offsets: readonly number[],
): { line: number; column: number }[] {
  let line = 1;
  let start = 0;
  let end = text.indexOf("\n");
  return offsets.map((offset) => {
    for (; end >= 0 && end < offset; end = text.indexOf("\n", start)) {
      line++;
      start = end + 1;
    }
    return { line, column: offset - start + 1 };
  });
}

/** The error for a text that is not valid JSON or YAML. */
export function malformed(
  text: string,
  offset: number,
  message: string,
): MalformedDocument {
  return new MalformedDocument([
    { path: "", message, ...positionOf(text, offset) },
  ]);
}
