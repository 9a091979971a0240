import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome } from "../lab/program.js";
import { SERVICE_PATH } from "./machine.js";

const PATIENCE_SECONDS = 300;

/** Runs a bash script in the environment of a service. Its folder is deleted afterwards. */
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
        // Without this, Perl iterates over hashes in a different order each time.
        PERL_HASH_SEED: "0",
      },
      maxBuffer: Infinity,
      timeout: PATIENCE_SECONDS * 1000,
    },
  );
  rmSync(cwd, { recursive: true });
  return { stdout, stderr, status: status ?? -1 };
}
