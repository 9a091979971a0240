import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { PROGRAM, type Outcome } from "./program.js";

/** The folder of the bundled programs. */
export const PROGRAMS = fileURLToPath(new URL("../../bin/", import.meta.url));

/**
 * Creates a folder for the search path that contains our programs by their names.
 *
 * @returns the folder
 */
export function installPrograms(): string {
  const folder = mkdtempSync(join(tmpdir(), "ipvsadm."));
  chmodSync(folder, 0o755);
  for (const name of ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"])
    symlinkSync(
      PROGRAM === undefined ? join(PROGRAMS, `${name}.cjs`) : resolve(PROGRAM),
      join(folder, name),
    );
  return folder;
}

/** Runs a line of bash with a folder first in the search path. Text has one character per byte. */
export function bash(
  folder: string,
  line: string,
  stdin = "",
  env: NodeJS.ProcessEnv = {},
): Outcome {
  const { stdout, stderr, status } = spawnSync("bash", ["-c", line], {
    input: Buffer.from(stdin, "latin1"),
    encoding: "latin1",
    env: {
      ...process.env,
      ...env,
      PATH: `${folder}:${process.env["PATH"] ?? ""}`,
    },
  });
  return { stdout, stderr, status: status ?? -1 };
}
