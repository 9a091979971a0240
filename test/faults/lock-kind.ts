import { execFileSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import type { Random } from "../compat/random.js";
import type { Case, Kind } from "./case.js";
import { changingScenario, install, randomTables } from "./command-lines.js";
import { fileError, withHook } from "./failing-files.js";
import { mutated } from "./mutations.js";
import { rulesOf } from "./random-rules.js";
import { broken, checkTable, checkWords, stateOf } from "./verdict.js";
import type { World } from "./world.js";

const NAME = "run/ipvsadm-4026531840.lock";
const PID_NAMESPACE = "pid:[4026531836]";
const LIVING = 4242;
const START = 777;

/** What a lock does: nothing; it stops the command; it is no lock, so the command decides what it does without one. */
type Effect = "free" | "held" | "unknown" | "none";

interface Shape {
  readonly name: string;
  readonly effect: Effect;
  make(world: World, random: Random, name: string): void | Promise<void>;
}

function record(pid: number, start: number, namespace = PID_NAMESPACE): string {
  return `${pid} ${start} ${namespace} apply\n`;
}

const SHAPES: readonly Shape[] = [
  {
    name: "held",
    effect: "held",
    make(world, _, name) {
      world.addProcess(LIVING, START);
      world.write(name, record(LIVING, START));
    },
  },
  {
    name: "of a dead process",
    effect: "free",
    make: (world, _, name) => {
      world.write(name, record(99_999, START));
    },
  },
  {
    name: "of a process whose number is in use again",
    effect: "free",
    make(world, _, name) {
      world.addProcess(LIVING, START + 1);
      world.write(name, record(LIVING, START));
    },
  },
  {
    name: "of another container",
    effect: "held",
    make: (world, _, name) => {
      world.write(name, record(99_999, START, "pid:[4026539999]"));
    },
  },
  {
    name: "a directory",
    effect: "held",
    make: (world, random, name) => {
      mkdirSync(world.path(name));
      if (random.chance(0.5)) world.write(`${name}/file`, "x");
    },
  },
  {
    name: "a dangling symbolic link",
    effect: "held",
    make: (world, _, name) => {
      symlinkSync("/nonexistent/target", world.path(name));
    },
  },
  {
    name: "a symbolic link to a stale record",
    effect: "held",
    make(world, _, name) {
      world.write("elsewhere", record(99_999, START));
      symlinkSync(world.path("elsewhere"), world.path(name));
    },
  },
  {
    name: "a symbolic link to itself",
    effect: "held",
    make: (world, _, name) => {
      symlinkSync(world.path(name), world.path(name));
    },
  },
  {
    name: "a FIFO",
    effect: "held",
    make: (world, random, name) => {
      fifo(world.path(name));
      if (random.chance(0.5)) chmodSync(world.path(name), 0);
    },
  },
  {
    name: "empty",
    effect: "held",
    make: (world, _, name) => {
      world.write(name, "");
    },
  },
  {
    name: "full of junk",
    effect: "held",
    make: (world, random, name) => {
      const length = random.pick([1, 80, 4096, 4097, 2_000_000]);
      const bytes = Buffer.alloc(length);
      for (let i = 0; i < Math.min(length, 5000); i++)
        bytes[i] = random.below(256);
      writeFileSync(world.path(name), bytes);
    },
  },
  {
    name: "a record with faults",
    effect: "unknown",
    make: (world, random, name) => {
      world.write(name, mutated(random, record(99_999, START)));
    },
  },
  {
    name: "a record of a living process with faults",
    effect: "unknown",
    make(world, random, name) {
      world.addProcess(LIVING, START);
      world.write(name, mutated(random, record(LIVING, START)));
    },
  },
  {
    name: "missing with its folder",
    effect: "none",
    make: (world) => {
      rmSync(world.path("run"), { recursive: true });
    },
  },
  {
    name: "below a file",
    effect: "none",
    make(world) {
      rmSync(world.path("run"), { recursive: true });
      world.write("run", "no folder");
    },
  },
  {
    name: "in a folder that is a dangling link",
    effect: "none",
    make(world) {
      rmSync(world.path("run"), { recursive: true });
      symlinkSync("/nonexistent/run", world.path("run"));
    },
  },
  {
    name: "in a folder with leftovers",
    effect: "free",
    make(world, random) {
      for (const end of ["", ".tmp", ".stale"])
        if (random.chance(0.7))
          world.write(
            `${NAME}.${random.below(10 ** 6)}${end}`,
            record(99_999, START),
          );
    },
  },
];

function fifo(path: string): void {
  execFileSync("mkfifo", [path]);
}

/** Locks of all shapes, under apply, restore, drain and undrain. */
export const lockKind: Kind = {
  name: "locks",
  share: 15,
  async run(one) {
    const { random, world, note } = one;
    const tables = randomTables(random);
    await install(world, tables.before);
    const { line } = await changingScenario(random, world, tables);
    const before = stateOf(world.kernel);
    const clean = await world.run(line);
    checkWords(line, clean);
    const after = stateOf(world.kernel);
    world.again();
    await install(world, tables.before);
    const shape = random.pick(SHAPES);
    // The second lock, under which a stale one is replaced.
    const second = shape.effect !== "none" && random.chance(0.25);
    if (second) world.write(NAME, record(99_999, START));
    const name = second ? `${NAME}.stale` : NAME;
    await shape.make(world, random, name);
    note(
      `table\n${rulesOf(tables.before)}\nlock ${shape.name}${second ? ", the second one" : ""}\ncommand ${line.words.join(" ")}`,
    );
    const found = pictureOf(world);
    const unreadable = shape.name === "held" && random.chance(0.3);
    const run = () => world.run(line);
    const result = unreadable
      ? await withHook(world.path(name), denied, run)
      : await run();
    note(
      `exit status ${result.status}\nstdout ${result.stdout}\nstderr ${result.stderr}`,
    );
    checkWords(line, result);
    const now = stateOf(world.kernel);
    const expected = unreadable ? "unknown" : shape.effect;
    if (clean.status === 0) checkTable(result, now, before, after);
    checkLock(one, expected, {
      changes: now.text !== before.text,
      failed: result.status !== 0 && clean.status === 0,
      isSame: pictureOf(world) === found,
      stderr: result.stderr,
    });
    return shape.name;
  },
};

/** The file is there, but may not be read. */
function denied({
  name,
  changes,
}: {
  name: string;
  changes: boolean;
}): undefined {
  if (!changes && name === "openSync") throw fileError("EACCES", "open");
  return undefined;
}

function checkLock(
  { world }: Case,
  effect: Effect,
  {
    changes,
    failed,
    isSame,
    stderr,
  }: {
    readonly changes: boolean;
    readonly failed: boolean;
    readonly isSame: boolean;
    readonly stderr: string;
  },
): void {
  if (effect === "held") {
    if (changes) broken("the table was changed although the lock is held");
    if (!isSame) broken(`the lock was touched: ${pictureOf(world)}`);
    if (!/nothing was changed|cannot lock/.test(stderr))
      broken("it does not say that the lock is held");
  }
  if (effect === "free") {
    if (failed) broken("it failed although nobody holds the lock");
    const left = world.files().filter((name) => name.endsWith(".lock"));
    if (left.length > 0) broken(`the lock is left behind: ${left.join(" ")}`);
  }
}

/** What is in the folder of the locks: names, types, sizes. */
function pictureOf(world: World): string {
  try {
    return readdirSync(world.path("run"))
      .filter((name) => name.includes(".lock"))
      .sort()
      .map((name) => {
        const { mode, size, ino } = lstatSync(world.path(`run/${name}`));
        return `${name} ${mode} ${size} ${ino}`;
      })
      .join("\n");
  } catch {
    return "";
  }
}
