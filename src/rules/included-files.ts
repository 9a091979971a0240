/** A file that a configuration includes. */
export interface IncludedFile {
  readonly name: string;
  /** Undefined if it cannot be read */
  readonly text: string | undefined;
}

/**
 * Finds the files that match a pattern, in the order of their names.
 *
 * @param pattern an absolute path, or relative to the folder of the including file; may contain wildcards
 * @param from the including file
 */
export type FindIncluded = (
  pattern: string,
  from: string,
) => readonly IncludedFile[];
