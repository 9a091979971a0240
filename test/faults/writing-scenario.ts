import type { Random } from "../compat/random.js";
import type { Case } from "./case.js";
import {
  changingScenario,
  install,
  randomTables,
  type Scenario,
  type Tables,
} from "./command-lines.js";
import { withHook } from "./failing-files.js";
import { rulesOf } from "./random-rules.js";
import { broken, checkWords, stateOf, type TableState } from "./verdict.js";
import type { Result } from "./world.js";

/** A command that writes files or changes the table, and what it does if nothing fails. */
export interface Writing {
  readonly scenario: Scenario;
  readonly tables: Tables;
  readonly clean: Result;
  readonly before: TableState;
  readonly after: TableState;
  /** The file of `save` or `metrics`: before and after */
  readonly file?: {
    readonly before: string | undefined;
    readonly after: string;
  };
  /** How many steps it has: effects on the kernel, and calls of the file system that change something */
  readonly steps: number;
  /** How many calls of the file system it has in all */
  readonly calls: number;
}

export const SAVED = "saved";
const OLD = "-A -f 99 -s rr\n";

/** Chooses apply, restore, save, metrics, drain or undrain, runs it once without faults, and prepares the machine for the same once more. */
export async function prepareWriting(one: Case): Promise<Writing> {
  const { random, world, note } = one;
  const tables = randomTables(random);
  const hasOld = random.chance(0.5);
  const prepare = async () => {
    await install(world, tables.before);
    if (hasOld) world.write(SAVED, OLD);
  };
  await prepare();
  const path = world.path(SAVED);
  const scenario: Scenario = random.chance(0.2)
    ? { line: { words: writingWords(random, path) }, effect: "reads" }
    : await changingScenario(random, world, tables);
  note(
    `table\n${rulesOf(tables.before)}\nwanted\n${rulesOf(tables.wanted)}\ncommand ${scenario.line.words.join(" ")}`,
  );
  const before = stateOf(world.kernel);
  let steps = 0;
  let calls = 0;
  const clean = await withHook(
    world.folder,
    ({ changes }) => {
      calls++;
      if (changes) steps++;
      return undefined;
    },
    () => world.run(scenario.line, { step: () => steps++ }),
  );
  checkWords(scenario.line, clean);
  const after = stateOf(world.kernel);
  const saved = world.read(SAVED) ?? "";
  world.again();
  await prepare();
  return {
    ...{ scenario, tables, clean, before, after, steps, calls },
    ...(scenario.effect === "reads" && {
      file: { before: hasOld ? OLD : undefined, after: saved },
    }),
  };
}

/** A command that reads the table and writes a file. */
function writingWords(random: Random, path: string): readonly string[] {
  if (random.chance(0.3)) return ["metrics", "-o", path];
  return ["save", path, "-o", random.pick(["rules", "json", "yaml"])];
}

/** The file of `save` or `metrics` has its old content or the new one. @throws {Broken} */
export function checkFile(
  { world }: Case,
  { file }: Writing,
  status: number | undefined,
): void {
  if (!file) return;
  const now = world.read(SAVED);
  if (now !== file.before && now !== file.after)
    broken(`the file has ${JSON.stringify(now)}`);
  if (status === 0 && now !== file.after)
    broken("exit status 0, but the file is the old one");
}
