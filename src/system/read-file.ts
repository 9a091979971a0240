import { readFileSync } from "node:fs";

/** Reads a whole file. @throws {NodeJS.ErrnoException} */
export function readWholeFile(path: string): Uint8Array {
  return readFileSync(path);
}
