import { COMMANDS } from "../grammar/options.js";
import type { Io } from "../io.js";
import { UsedWrong } from "./faults.js";
import { helpOf } from "./help/text.js";
import { nearest } from "../nearest.js";
import { Progress } from "../progress.js";
import { Output } from "./output.js";
import { parseVerb } from "./parse.js";
import { EXIT, type VerbRow } from "./row.js";
import { VERBS, verbNamed } from "./table.js";
import { fromBytes } from "./text.js";

/**
 * Carries out a word verb. Writes to `io` alone, and never ends the process.
 *
 * @param words the command line without the program's name, one character a byte; the first is a word
 * @returns the exit status; undefined if that word is neither a verb nor near to one, and nothing was done
 */
export async function runVerb(
  words: readonly string[],
  io: Io,
): Promise<number | undefined> {
  const [name = "", ...rest] = words.map(fromBytes);
  const row = verbNamed(name);
  if (row) return carryOut(row, rest, io);
  const suggestion = meantBy(name);
  if (suggestion === undefined) return undefined;
  const fault = new UsedWrong(
    `there is no verb ${name}`,
    undefined,
    suggestion,
  );
  return new Output(io, "auto").explain(fault);
}

async function carryOut(
  row: VerbRow,
  words: readonly string[],
  world: Io,
): Promise<number> {
  const progress = new Progress(world);
  const io = row.fillsTerminal ? world : progress.io;
  let output = new Output(io, "auto");
  try {
    const given = parseVerb(row, words);
    output = new Output(io, given.text("color") ?? "auto");
    if (given.flag("help")) {
      output.write(helpOf(row, output));
      return EXIT.fine;
    }
    const { run } = await row.load();
    return await run({ given, io, output, progress });
  } catch (error) {
    return output.explain(error);
  } finally {
    progress.end();
  }
}

/** The verb, or the command of the classic language, that somebody meant. */
function meantBy(name: string): string | undefined {
  const verb = nearest(
    name,
    VERBS.map((row) => row.name),
  );
  if (verb !== undefined) return `'ipvsadm ${verb}'`;
  const command = nearest(
    name,
    COMMANDS.map(({ long }) => long),
  );
  return command === undefined ? undefined : `'ipvsadm --${command}'`;
}
