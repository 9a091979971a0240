import type { ClassicCommand } from "../grammar/command.js";
import { UsageFault } from "../grammar/faults.js";
import { ruleWords } from "../grammar/line.js";
import type { Io } from "../io.js";
import { inSession } from "./run.js";
import { DONE, End, statusOf, type Session } from "./session.js";

const SAVE_HELP = `ipvsadm-save: Script to save the IPVS table to stdout.
   With the -n option, prints out the table in numeric format.
`;
const HELP_SHOWN = 1;

/**
 * ipvsadm-save: writes the table as rules.
 *
 * @param words `-n` for numbers instead of names; another option gets the help, other words nothing
 * @returns the exit status
 */
export function runSave(words: readonly string[], io: Io): Promise<number> {
  if (words.some((word) => word.startsWith("-") && word !== "-n")) {
    io.stderr(SAVE_HELP);
    return Promise.resolve(HELP_SHOWN);
  }
  return inSession(io, (session) =>
    session.carryOut({ command: "save", numeric: words.includes("-n") }),
  );
}

/**
 * ipvsadm-restore: replaces the table by the rules on standard input.
 *
 * All of them are read and looked at before the table is cleared, so a mistake costs nothing.
 *
 * @returns the exit status
 */
export function runRestore(io: Io): Promise<number> {
  return inSession(asIpvsadm(io), async (session) => {
    const commands = await readRules(session, io);
    await session.open();
    await session.carryOut({ command: "flush" });
    await session.flush();
    for (const command of commands) await session.carryOut(command);
  });
}

/** The hint of a line that is no command names the program that knows the commands. */
function asIpvsadm(io: Io): Io {
  return { ...io, program: () => "ipvsadm" };
}

/** @throws {End} when a line is at fault, after all that are have been named */
async function readRules(session: Session, io: Io): Promise<ClassicCommand[]> {
  const commands: ClassicCommand[] = [];
  let status = DONE;
  let number = 0;
  for await (const lines of io.stdin())
    for (const line of lines) {
      number++;
      const words = ruleWords(line);
      if (words.length === 0) continue;
      try {
        commands.push(await readRule(session, words));
      } catch (error) {
        if (!(error instanceof UsageFault)) throw error;
        status ||= statusOf(error);
        session.complain(
          `ipvsadm-restore: line ${number}: ${session.sentenceOf(error).trimEnd()}`,
        );
      }
    }
  if (status === DONE) return commands;
  session.complain("ipvsadm-restore: nothing was changed");
  throw new End(status);
}

async function readRule(
  session: Session,
  words: readonly string[],
): Promise<ClassicCommand> {
  const command = await session.read(words);
  if (command.command === "restore") throw new UsageFault("not-a-command", "");
  return command;
}
