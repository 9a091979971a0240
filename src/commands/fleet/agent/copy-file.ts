import { accessSync, constants, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { CommandError } from "../../../cli/errors.js";
import { escapeControls } from "../../../cli/escape.js";
import type { AgentEnvironment } from "../../../fleet/agent/agent-environment.js";
import { writeAtomically } from "../../../system/atomic-file.js";
import { textOf } from "../../../system/files.js";

type Disk = AgentEnvironment["disk"];

/** The file of the disk copy. */
export class CopyFile implements Disk {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Creates its folder. @throws {CommandError} if the file could not be written later */
  checkWritable(dryRun: boolean): void {
    if (dryRun) return;
    const folder = dirname(this.#path);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o755 });
      accessSync(folder, constants.W_OK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new CommandError(
        `cannot write to the folder ${escapeControls(folder)}: ${code ?? "unknown"}`,
        "choose another file with --copy",
      );
    }
  }

  read(): string | undefined {
    return textOf(this.#path);
  }

  write(text: string): void {
    writeAtomically(this.#path, text);
  }
}
