import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";

/** A file cannot be written; what was in it before, if anything, stands. */
export class OutputFailed extends Error {
  override readonly name = "OutputFailed";

  constructor(
    readonly path: string,
    /** The symbol of the error, such as EACCES */
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(`cannot write ${path}: ${code}`, options);
  }
}

/**
 * Writes a file whole or not at all: to a file beside it, which then takes its name. Who reads it meanwhile, and who
 * finds it after the machine went down, has the old text or the new. Its permissions stay.
 *
 * @param path a symbolic link is replaced, not followed
 * @param text one character a byte
 * @throws {OutputFailed} and the file is as it was
 */
export function writeAtomically(path: string, text: string): void {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    writeThrough(beside, text, permissionsOf(path));
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    throw new OutputFailed(path, code ?? "unknown", { cause: error });
  }
  syncFolder(dirname(path));
}

/** Writes a new file, and waits until it is on the disk. */
function writeThrough(path: string, text: string, mode?: number): void {
  const file = openSync(path, "wx", mode ?? 0o666);
  try {
    writeFileSync(file, text, "latin1");
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (mode !== undefined) chmodSync(path, mode); // which the umask may have cut
}

function permissionsOf(path: string): number | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && found.mode & 0o777;
}

/** The new name is on the disk only when the folder is. Some file systems cannot be told so. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // The file itself is whole either way.
  }
}
