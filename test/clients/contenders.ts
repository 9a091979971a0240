import assert from "node:assert/strict";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { PROGRAMS } from "../lab/installed.js";
import { ours } from "../lab/program.js";
import { originalProgram } from "./machine.js";

const NAMES = ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"];

/** Debian's package installs the programs there, and its clients call them there. */
const PLACE = "/usr/sbin";

/** The programs to use: a name and where to find them. */
const CONTENDERS: Record<string, (program: string) => string> = {
  "the original": originalProgram,
  ours: (program) => join(PROGRAMS, `${program}.cjs`),
};

/**
 * Runs a scenario twice, first with the original's programs and then with ours, each time on an
 * empty table. The observations must be equal.
 *
 * @returns the observations
 */
export async function alike<T>(scenario: () => T | Promise<T>): Promise<T> {
  const observed: T[] = [];
  for (const [name, find] of Object.entries(CONTENDERS)) {
    install(find);
    await reset();
    try {
      observed.push(await scenario());
    } catch (error) {
      throw new Error(`with ${name} in place`, { cause: error });
    }
  }
  const [expected, actual] = observed as [T, T];
  assert.deepEqual(actual, expected, "ours is noticed");
  return expected;
}

function install(find: (program: string) => string): void {
  for (const program of NAMES) {
    const place = join(PLACE, program);
    rmSync(place, { force: true });
    symlinkSync(find(program), place);
  }
}

/** Resets the table. Stopping a sync daemon that does not run may fail. */
async function reset(): Promise<void> {
  await ours(["-C"]);
  await ours(["--stop-daemon", "master"]);
  await ours(["--stop-daemon", "backup"]);
  await ours(["--set", "900", "120", "300"]);
}
