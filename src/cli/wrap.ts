/** Joins pieces of text to lines of at most `room` characters. A longer piece gets its own line. */
export function wrapPieces(pieces: readonly string[], room: number): string[] {
  const lines = [""];
  for (const piece of pieces) {
    const line = lines.at(-1) ?? "";
    if (line !== "" && (line + piece).trimEnd().length > room)
      lines.push(piece);
    else lines[lines.length - 1] = line + piece;
  }
  return lines.map((line) => line.trimEnd());
}

/** Wraps a text at its spaces. */
export function wrapWords(text: string, room: number): string[] {
  return wrapPieces(text.split(/(?<= )/), room);
}
