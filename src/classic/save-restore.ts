import type { ClassicCommand, SingleCommand } from "../grammar/command.js";
import { UsageFault } from "../grammar/usage-errors.js";
import { ruleWords } from "../grammar/rule-words.js";
import type { ClassicIo } from "../runtime/io.js";
import { InputFailed } from "../system/files.js";
import { counted } from "../runtime/progress.js";
import { countLines } from "./count-lines.js";
import { inSession } from "./run.js";
import { DONE, End, statusOf, type Session } from "./session.js";

const SAVE_HELP = `ipvsadm-save: Script to save the IPVS table to stdout.
   With the -n option, prints out the table in numeric format.
`;
const HELP_SHOWN = 1;
const FAILED = 1;

/** Number of rules between two looks at the clock, because a look takes as long as a rule. */
const RULES_A_STEP = 256;

/**
 * ipvsadm-save: writes the table as rules. Unlike `ipvsadm -S`, it fails if the rules cannot be
 * written.
 *
 * @param words `-n` for numbers instead of names. Other options print the help, other arguments are
 *   ignored
 * @returns the exit status
 */
export async function runSave(
  words: readonly string[],
  io: ClassicIo,
): Promise<number> {
  if (words.some((word) => word.startsWith("-") && word !== "-n")) {
    io.stderr(SAVE_HELP);
    return HELP_SHOWN;
  }
  const status = await inSession(io, async (session) => {
    await session.carryOut({
      command: "save",
      numeric: words.includes("-n"),
    });
  });
  const fault = io.flush();
  if (fault === undefined) return status;
  io.stderr(`ipvsadm-save: cannot write the rules: ${fault}\n`);
  return FAILED;
}

/**
 * ipvsadm-restore: replaces the table by the rules on standard input. Parses and checks all rules
 * before it clears the table, so an invalid rule changes nothing.
 *
 * @returns the exit status
 */
export function runRestore(io: ClassicIo): Promise<number> {
  return inSession(asIpvsadm(io), async (session) => {
    const commands = await readRules(session, io);
    await session.open();
    await session.carryOut({ command: "flush" });
    await session.flush();
    let done = 0;
    session.progress.begin(
      (seconds) =>
        `restoring: ${counted(done, `of ${commands.length} rules`, seconds)}`,
    );
    for (const command of commands) {
      const waiting = session.carryOut(command);
      if (waiting) await waiting;
      if (++done % RULES_A_STEP === 0) session.progress.step();
    }
  });
}

/** Makes the hint name ipvsadm, which has the commands. */
function asIpvsadm(io: ClassicIo): ClassicIo {
  return { ...io, program: () => "ipvsadm" };
}

/**
 * @throws {End} if a line is invalid, after reporting all invalid lines, or if the rules cannot be
 *   read
 */
async function readRules(
  session: Session,
  io: ClassicIo,
): Promise<SingleCommand[]> {
  const commands: SingleCommand[] = [];
  let status = DONE;
  let number = 0;
  const count = countLines("reading", session.progress, io);
  try {
    for await (const lines of io.stdin()) {
      count(lines);
      for (const line of lines) {
        number++;
        const words = ruleWords(line);
        if (words.length === 0) continue;
        try {
          const command = session.read(words);
          commands.push(
            single(command instanceof Promise ? await command : command),
          );
        } catch (error) {
          if (!(error instanceof UsageFault)) throw error;
          status ||= statusOf(error);
          session.complain(
            `ipvsadm-restore: line ${number}: ${session.sentenceOf(error).trimEnd()}`,
          );
        }
      }
    }
  } catch (error) {
    if (!(error instanceof InputFailed)) throw error;
    status = FAILED;
    session.complain(
      `ipvsadm-restore: cannot read standard input: ${error.message}`,
    );
  }
  if (status === DONE) return commands;
  session.complain("ipvsadm-restore: nothing was changed");
  throw new End(status);
}

/** @throws {UsageFault} if the command is -R */
function single(command: ClassicCommand): SingleCommand {
  if (command.command === "restore") throw new UsageFault("not-a-command", "");
  return command;
}
