/** A file that setup prints, with its notes as comments. */
export interface PrintedFile {
  readonly path: string;
  readonly text: string;
}

/** The files in a text that setup has printed for one machine. */
export function printedFiles(text: string): PrintedFile[] {
  const [, ...parts] = text.split(/^# (?=\/)/m);
  return parts.map((part) => {
    const end = part.indexOf("\n");
    return { path: part.slice(0, end), text: part.slice(end + 1) };
  });
}
