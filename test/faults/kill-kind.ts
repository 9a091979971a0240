import type { Case, Kind } from "./case.js";
import { MACHINE } from "./command-lines.js";
import { withHook } from "./failing-files.js";
import { checkLeftovers } from "./link-kind.js";
import {
  broken,
  checkTable,
  checkWords,
  isBetween,
  stateOf,
  type TableState,
} from "./verdict.js";
import type { Result } from "./world.js";
import { checkFile, prepareWriting, type Writing } from "./writing-scenario.js";

const SIGNALS = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const;

/** The process is dead: nothing that it still does has an effect. */
class Died extends Error {
  readonly code = "DIED";
}

/**
 * apply, restore, save, metrics, drain and undrain end at any step, or get a signal there. The end is a model of kill -9: from this
 * step on, no call has an effect, and the next run sees what is left. The lab does the same with real processes.
 */
export const killKind: Kind = {
  name: "kill",
  share: 35,
  async run(one) {
    const { random, note } = one;
    const writing = await prepareWriting(one);
    if (writing.clean.status !== 0 || writing.steps === 0)
      return `no step (exit status ${writing.clean.status})`;
    const at = random.below(writing.steps);
    const signal = random.chance(0.35) ? random.pick(SIGNALS) : undefined;
    note(`${signal ?? "SIGKILL"} at step ${at} of ${writing.steps}`);
    const half = random.chance(0.5);
    let step = 0;
    const model = { dead: false };
    const next = (): boolean => {
      if (model.dead) throw new Died("dead");
      if (step++ !== at) return false;
      if (signal !== undefined && one.world.signal(signal)) return false;
      model.dead = true;
      return true;
    };
    const result = await withHook(
      one.world.folder,
      ({ changes }) => {
        if (!changes) {
          if (model.dead) throw new Died("dead");
          return undefined;
        }
        if (!next()) return undefined;
        if (half) return { half: new Died("dead") };
        throw new Died("dead");
      },
      () =>
        one.world.run(writing.scenario.line, {
          step() {
            if (next()) throw new Died("dead");
          },
        }),
    );
    const name = String(writing.scenario.line.words[0]);
    if (!model.dead) {
      checkSignal(one, writing, result);
      return `${name}, ${signal}`;
    }
    await checkDeath(one, writing);
    return `${name}, ${signal ?? "SIGKILL"}${signal ? " not caught" : ""}`;
  },
};

function checkSignal(one: Case, writing: Writing, result: Result): void {
  const { note, world } = one;
  note(
    `exit status ${result.status}\nstdout ${result.stdout}\nstderr ${result.stderr}`,
  );
  checkWords(writing.scenario.line, result);
  const { before, after } = writing;
  const now = stateOf(world.kernel);
  // drain keeps the weight 0 if the signal ends the wait.
  const waits = /--wait|--timeout/.test(writing.scenario.line.words.join(" "));
  if (!(waits && now.text === after.text))
    checkTable(result, now, before, after);
  checkFile(one, writing, result.status);
  checkLeftovers(one);
}

/** What a dead process leaves: whole rows, whole files, and a machine on which the next run succeeds. */
async function checkDeath(one: Case, writing: Writing): Promise<void> {
  const { world, note } = one;
  const { scenario, before, after } = writing;
  const now = stateOf(world.kernel);
  const drains = scenario.line.words.includes("--drain");
  if (!isBetween(now, before, after, drains ? "may be drained" : undefined))
    broken(`the table has rows of its own:\n${now.text}`);
  checkFile(one, writing, undefined);
  world.newProcess();
  world.listeners.clear();
  const { words } = scenario.line;
  const backup = words.includes("--backup");
  if (backup && now.text !== before.text) {
    await succeed(one, ["restore", world.path("backup.json")]);
    if (stateOf(world.kernel).text !== before.text)
      broken("the backup is not the table before");
    return;
  }
  const isThere = backup && world.read("backup.json") !== undefined;
  const again = isThere ? withoutBackup(words) : words;
  note(`then ${again.join(" ")}`);
  await succeed(one, again);
  if (stateOf(world.kernel).text !== after.text)
    broken(`the next run leaves\n${stateOf(world.kernel).text}`);
  checkFile(one, writing, 0);
  // Half a record is not removed: its process might still be writing it.
  const locks = world
    .files()
    .filter((name) => name.includes(".lock"))
    .filter(
      (name) => name.endsWith(".lock") || world.read(name)?.endsWith("\n"),
    );
  if (locks.length > 0) broken(`the next run leaves ${locks.join(" ")}`);
  if (words[0] === "drain") await checkUndrain(one, writing);
}

/** After a drain that died and one that succeeded, the weights from before are still known. */
async function checkUndrain(
  one: Case,
  { scenario, before, after }: Writing,
): Promise<void> {
  if (before.text === after.text) return; // it was drained already
  const { words } = scenario.line;
  const result = await one.world.run({
    words: ["undrain", ...words.slice(1).filter((word) => !isWaiting(word))],
  });
  one.note(`then undrain: ${result.status} ${result.stderr}`);
  checkWords(scenario.line, result);
  const all = words.includes("--all-services");
  if (result.status !== 0 && all && hadWeightZero(before)) return;
  if (stateOf(one.world.kernel).text !== before.text)
    broken("undrain does not restore the weights");
}

/** Whether the machine that is drained had weight 0 somewhere: nothing was saved for it then. */
function hadWeightZero({ rows }: TableState): boolean {
  const hexadecimal = MACHINE.split(".")
    .map((part) => Number(part).toString(16).padStart(2, "0"))
    .join("");
  return [...rows].some(
    ([name, settings]) =>
      name.includes(` ${hexadecimal} `) && settings.includes('"weight":0'),
  );
}

function isWaiting(word: string): boolean {
  return ["--wait", "--timeout", "3s", "-o", "json"].includes(word);
}

function withoutBackup(words: readonly string[]): readonly string[] {
  const at = words.indexOf("--backup");
  return [...words.slice(0, at), ...words.slice(at + 2)];
}

async function succeed(one: Case, words: readonly string[]): Promise<void> {
  const result = await one.world.run({ words });
  one.note(`exit status ${result.status}\nstderr ${result.stderr}`);
  checkWords({ words }, result);
  if (result.status !== 0) broken(`the next run fails: ${result.stderr}`);
}
