import assert from "node:assert/strict";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { PROGRAMS } from "../lab/installed.js";
import { ours } from "../lab/program.js";
import { originalProgram } from "./machine.js";

const NAMES = ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"];

/** Where Debian's package puts the programs, and its clients look for them. */
const PLACE = "/usr/sbin";

/** Whose programs there are, and where to find one. */
const CONTENDERS: Record<string, (program: string) => string> = {
  "the original": originalProgram,
  ours: (program) => join(PROGRAMS, `${program}.cjs`),
};

/**
 * Plays a scenario twice, first with the original's programs in their place and then with ours, each time
 * from an empty table, and holds against each other what it observed.
 *
 * @returns the observations, which were the same
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

/** What a table of its own would be like; a daemon that does not run may refuse to be stopped. */
async function reset(): Promise<void> {
  await ours(["-C"]);
  await ours(["--stop-daemon", "master"]);
  await ours(["--stop-daemon", "backup"]);
  await ours(["--set", "900", "120", "300"]);
}
