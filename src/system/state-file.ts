import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { OutputFailed, writeAtomically } from "./atomic-file.js";

/* A small file that keeps a program's state until reboot, in a folder of its own below /run. */

/**
 * Writes the file. Creates its folder if needed.
 *
 * @param text one character per byte
 * @throws {OutputFailed}
 */
export function writeStateFile(path: string, text: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OutputFailed(folder, code ?? "unknown", { cause: error });
  }
  writeAtomically(path, text);
}

/** Deletes the file, if there is one. @returns whether that succeeded */
export function removeStateFile(path: string): boolean {
  try {
    rmSync(path, { force: true });
    return true;
  } catch {
    return false;
  }
}
