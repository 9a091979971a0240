import { OutputClosed } from "../../src/system/streams.js";
import type { Case, Kind } from "./case.js";
import { DISK_ERRORS, fileError, withHook } from "./failing-files.js";
import { checkLeftovers } from "./link-kind.js";
import { broken, checkTable, checkWords, stateOf } from "./verdict.js";
import type { Result } from "./world.js";
import { checkFile, prepareWriting, type Writing } from "./writing-scenario.js";

/** Calls of the file system fail under everything that writes: once, or from some call on. */
export const diskKind: Kind = {
  name: "disk",
  share: 30,
  async run(one) {
    const { random, world, note } = one;
    const writing = await prepareWriting(one);
    const { clean, calls } = writing;
    if (random.chance(0.15)) return streamCase(one, writing);
    if (calls === 0) return "no call";
    const at = random.below(calls);
    const code = random.pick(DISK_ERRORS);
    const lasts = random.chance(0.4);
    const half = random.chance(0.5) && /ENOSPC|EDQUOT|EIO/.test(code);
    let call = 0;
    const failed: string[] = [];
    const result = await withHook(
      world.folder,
      ({ name, changes }) => {
        const now = call++;
        if (lasts ? now < at || (!changes && code !== "EIO") : now !== at)
          return undefined;
        failed.push(name);
        const error = fileError(code, name);
        if (half) return { half: error };
        throw error;
      },
      () => world.run(writing.scenario.line),
    );
    note(
      `${code} at call ${at} of ${calls}${lasts ? " and all later ones" : ""}: ${failed.join(" ")}`,
    );
    note(
      `exit status ${result.status}\nstdout ${result.stdout}\nstderr ${result.stderr}`,
    );
    checkWords(writing.scenario.line, result);
    if (clean.status === 0) checkResult(one, writing, result);
    checkFile(one, writing, result.status);
    const isRemoval = failed.some((name) => /^(?:rm|unlink)/.test(name));
    if (!lasts && !isRemoval) checkLeftovers(one, "locks may stay");
    await checkNextRun(one, writing);
    return code;
  },
};

/** When the disk works again, the same command does the rest, whatever locks were left. @throws {Broken} */
async function checkNextRun(
  { world, note }: Case,
  { clean, scenario, after }: Writing,
): Promise<void> {
  if (clean.status !== 0) return;
  world.newProcess();
  if (world.read("backup.json") !== undefined) return;
  const result = await world.run(scenario.line);
  note(`the next run: exit status ${result.status}\n${result.stderr}`);
  checkWords(scenario.line, result);
  if (result.status !== 0) broken("the next run fails");
  const now = stateOf(world.kernel);
  if (now.text !== after.text) broken(`the next run leaves\n${now.text}`);
}

/** Standard output is full, or nobody reads it any more. */
async function streamCase(one: Case, writing: Writing): Promise<string> {
  const { random, world, note } = one;
  const isFull = random.chance(0.6);
  note(isFull ? "stdout is full" : "stdout is closed");
  const result = await world.run(writing.scenario.line, {
    io: isFull
      ? { flush: () => "ENOSPC" }
      : {
          stdout() {
            throw new OutputClosed();
          },
        },
  });
  note(
    `exit status ${result.status}\nstdout ${result.stdout}\nstderr ${result.stderr}`,
  );
  checkWords(writing.scenario.line, result);
  if (writing.clean.status === 0) checkResult(one, writing, result);
  checkFile(one, writing, result.status);
  checkLeftovers(one);
  return isFull ? "stdout full" : "stdout closed";
}

function checkResult(
  { world }: Case,
  { before, after }: Writing,
  result: Result,
): void {
  const now = stateOf(world.kernel);
  checkTable(result, now, before, after);
  const isSilent = result.stderr === "" && result.status !== 141;
  if (now.text === before.text && before.text !== after.text && isSilent)
    broken("nothing was done, without a word");
}
