import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome } from "../lab/program.js";
import { SERVICE_PATH } from "./machine.js";

const PATIENCE_SECONDS = 300;

/** Runs a script of bash as a service is started: in a bare environment. Its folder goes when it ends. */
export function bash(script: string): Outcome {
  const cwd = mkdtempSync(join(tmpdir(), "ipvsadm-clients."));
  const { stdout, stderr, status } = spawnSync(
    "bash",
    ["--norc", "-c", script],
    {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      encoding: "latin1",
      env: {
        PATH: SERVICE_PATH,
        LC_ALL: "C",
        // Perl walks through its hashes in another order each time, unless told not to.
        PERL_HASH_SEED: "0",
      },
      maxBuffer: Infinity,
      timeout: PATIENCE_SECONDS * 1000,
    },
  );
  rmSync(cwd, { recursive: true });
  return { stdout, stderr, status: status ?? -1 };
}
