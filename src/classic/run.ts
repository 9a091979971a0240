import type { ClassicCommand } from "../grammar/command.js";
import { UsageFault } from "../grammar/usage-errors.js";
import { ruleWords } from "../grammar/rule-words.js";
import type { ClassicIo } from "../runtime/io.js";
import { MalformedReply, SocketFault } from "../netlink/errors.js";
import { InputFailed } from "../system/files.js";
import { countLines } from "./count-lines.js";
import { End, REFUSED, Session } from "./session.js";

/**
 * Runs a classic command line.
 *
 * @param words the command line arguments, one character per byte
 * @returns the exit status
 */
export function runClassic(
  words: readonly string[],
  io: ClassicIo,
): Promise<number> {
  return inSession(io, async (session) => {
    await carryOut(session, words.length === 0 ? ["-L"] : words, (command) =>
      command.command === "restore"
        ? restore(session, io)
        : session.carryOut(command),
    );
  });
}

/** Runs some work in a session and always closes it. @returns the exit status */
export async function inSession(
  io: ClassicIo,
  work: (session: Session) => Promise<void>,
): Promise<number> {
  const session = new Session(io);
  try {
    await work(session);
    await session.flush();
    return session.status;
  } catch (error) {
    if (error instanceof End) return error.status;
    if (!(error instanceof SocketFault || error instanceof MalformedReply))
      throw error;
    session.complain(`ipvsadm: ${error.message}`);
    return REFUSED;
  } finally {
    session.close();
  }
}

/**
 * Parses a line and carries it out.
 *
 * @returns a promise if there is something to wait for; most lines need none
 */
function carryOut(
  session: Session,
  words: readonly string[],
  act: (command: ClassicCommand) => Promise<void> | undefined,
): Promise<void> | undefined {
  try {
    const command = session.read(words);
    if (!(command instanceof Promise)) return act(command);
    return actLater(session, command, act);
  } catch (error) {
    if (error instanceof UsageFault) return session.complainOf(error);
    throw error;
  }
}

async function actLater(
  session: Session,
  reading: Promise<ClassicCommand>,
  act: (command: ClassicCommand) => Promise<void> | undefined,
): Promise<void> {
  let command: ClassicCommand;
  try {
    command = await reading;
  } catch (error) {
    if (error instanceof UsageFault) return session.complainOf(error);
    throw error;
  }
  await act(command);
}

/**
 * `-R`: carries out one command line per line of input. Carries out the available lines before it
 * waits for more.
 */
async function restore(session: Session, io: ClassicIo): Promise<void> {
  await session.open();
  const count = countLines("restoring", session.progress, io);
  try {
    for await (const lines of io.stdin()) {
      count(lines);
      await restoreLines(session, lines);
    }
  } catch (error) {
    if (!(error instanceof InputFailed)) throw error;
    // The original treats a read error like the end of the input.
  }
}

async function restoreLines(
  session: Session,
  lines: readonly string[],
): Promise<void> {
  const act = (command: ClassicCommand) =>
    command.command === "restore"
      ? session.complainOf(new UsageFault("not-a-command", ""))
      : session.carryOut(command);
  for (const line of lines) {
    const words = ruleWords(line);
    if (words.length === 0) continue;
    const done = carryOut(session, words, act);
    if (done) await done;
  }
  await session.flush();
}
