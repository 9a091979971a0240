/** A value in the text of a document, with its place. */
export interface Node {
  /** Where it begins: characters from the beginning of the text */
  readonly at: number;
  readonly value: Scalar | readonly Node[] | ReadonlyMap<string, Node>;
}

/** An integer that a double cannot hold is a bigint, with all its digits. */
export type Scalar = string | number | bigint | boolean | null;

/** A document as it was read, before anybody asks what it means. */
export interface Tree {
  readonly text: string;
  readonly root: Node;
}

/** One thing that is wrong with a document. */
export interface Fault {
  /** Of the value in the document: `services[3].servers[0].weight`; empty: the document itself */
  readonly path: string;
  /** What is wrong, and what is wanted. It may repeat what the document says: escape it before it is shown. */
  readonly fault: string;
  /** Counted from 1 */
  readonly line: number;
  /** Counted from 1, in characters */
  readonly column: number;
}

/** A document that cannot be read: all that is wrong with it, in the order of the text. */
export class MalformedDocument extends Error {
  override readonly name = "MalformedDocument";

  constructor(readonly faults: readonly Fault[]) {
    super(faults.map(faultText).join("\n"));
  }
}

/** `line 3, column 7: services[0].weight: …` */
function faultText({ path, fault, line, column }: Fault): string {
  const subject = path === "" ? "" : `${path}: `;
  return `line ${line}, column ${column}: ${subject}${fault}`;
}

/** The line and column of a place, both counted from 1. */
export function placeOf(
  text: string,
  at: number,
): { line: number; column: number } {
  const [place] = placesOf(text, [at]);
  return place ?? { line: 1, column: 1 };
}

/** The same for many places, in their order in the text, which is gone through once. */
export function placesOf(
  text: string,
  places: readonly number[],
): { line: number; column: number }[] {
  let line = 1;
  let start = 0;
  let end = text.indexOf("\n");
  return places.map((at) => {
    for (; end >= 0 && end < at; end = text.indexOf("\n", start)) {
      line++;
      start = end + 1;
    }
    return { line, column: at - start + 1 };
  });
}

/** The error for a text that is not even in the form of its language. */
export function malformed(
  text: string,
  at: number,
  fault: string,
): MalformedDocument {
  return new MalformedDocument([{ path: "", fault, ...placeOf(text, at) }]);
}
