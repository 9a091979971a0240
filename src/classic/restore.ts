import type { ClassicCommand, SingleCommand } from "../grammar/command.js";
import { UsageFault } from "../grammar/usage-errors.js";
import { ruleWords } from "../grammar/rule-words.js";
import type { ClassicIo } from "../runtime/io.js";
import { InputFailed } from "../system/files.js";
import { counted } from "../runtime/progress.js";
import { countLines } from "./count-lines.js";
import { inSession } from "./run.js";
import { DONE, End, statusOf, type Session } from "./session.js";

const FAILED = 1;

/** After how many rules it is worth a look at the clock, which may take as long as a rule does. */
const RULES_A_STEP = 256;

/**
 * ipvsadm-restore: replaces the table by the rules on standard input.
 *
 * All of them are read and looked at before the table is cleared, so a mistake costs nothing.
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

/** The hint of a line that is no command names the program that knows the commands. */
function asIpvsadm(io: ClassicIo): ClassicIo {
  return { ...io, program: () => "ipvsadm" };
}

/** In UTF-8. An editor may have put it before the first rule. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";

/** @throws {End} after all lines with errors have been reported, or if the rules cannot be read */
async function readRules(
  session: Session,
  io: ClassicIo,
): Promise<SingleCommand[]> {
  const commands: SingleCommand[] = [];
  let status = DONE;
  let number = 0;
  /** Whether the text is a listing, which was reported once */
  let isListing = false;
  const count = countLines("reading", session.progress, io);
  try {
    for await (const lines of io.stdin()) {
      count(lines);
      for (const text of lines) {
        number++;
        const line =
          number === 1 && text.startsWith(BYTE_ORDER_MARK)
            ? text.slice(BYTE_ORDER_MARK.length)
            : text;
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
          if (isListing) continue;
          const pasted = await import("../grammar/pasted-text.js");
          isListing = pasted.isListing(line);
          const advice = pasted.pastedTextAdvice(words, error.word);
          const sentence = isListing
            ? `${pasted.LISTING_MESSAGE}: ${pasted.LISTING_ADVICE}`
            : withAdvice(error, session.sentenceOf(error).trimEnd(), advice);
          session.complain(`ipvsadm-restore: line ${number}: ${sentence}`);
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

function withAdvice(
  { kind }: UsageFault,
  sentence: string,
  advice: string | undefined,
): string {
  if (advice === undefined) return sentence;
  return `${kind === "not-a-command" ? "not a rule" : sentence}; ${advice}`;
}

/** @throws {UsageFault} if it is the command that reads others */
function single(command: ClassicCommand): SingleCommand {
  if (command.command === "restore") throw new UsageFault("not-a-command", "");
  return command;
}
