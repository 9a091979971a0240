import {
  linkSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { networkNamespace } from "./namespaces.js";

/*
 * A lock is a file with a record of its holder. It comes into being by link(2), with all that is in it, and only if
 * there is none. What a process leaves behind that died holding it, the next one takes over: it makes the lock of the
 * lock, `….stale`, looks again, and puts its own record in the place of the dead one's. As nobody replaces a record
 * without that second lock, no living holder's is ever replaced. The second lock is taken as the first one is, so that
 * a process that dies in the middle of this hinders nobody.
 */

/** Who holds a lock, as its file says. */
export interface Holder {
  readonly pid: number;
  /** The subcommand that it carries out */
  readonly subcommand: string;
  /** Whether it lives where this process would see it end; false of another container's */
  readonly visible: boolean;
}

/** Somebody else has the lock. */
export class LockHeld extends Error {
  override readonly name = "LockHeld";

  constructor(
    readonly path: string,
    /** Undefined: the file is none of ours */
    readonly holder: Holder | undefined,
  ) {
    super(`${path} is held`);
  }
}

/** The lock can be neither made nor read. */
export class LockFailed extends Error {
  override readonly name = "LockFailed";

  constructor(
    readonly path: string,
    /** The symbol of the error, such as EACCES */
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(`cannot lock ${path}: ${code}`, options);
  }
}

export interface Lock extends Disposable {
  readonly path: string;
  release(): void;
}

/** Where locks are, and where one can see which processes live. */
export interface LockPlace {
  readonly runFolder: string;
  readonly procFolder: string;
}

/**
 * Keeps all other processes that take it from changing the table, until it is released or this process ends. Each
 * network namespace has a table, and a lock, of its own.
 *
 * @param subcommand what it is taken for, as others are told
 * @throws {LockHeld} at once, when a living process has it
 * @throws {LockFailed} when the folder is missing, or may not be written
 */
export function takeLock(place: LockPlace, subcommand: string): Lock {
  const space = networkNamespace(place.procFolder);
  const path = join(place.runFolder, `ipvsadm-${space}.lock`);
  const record = `${path}.${process.pid}`;
  const text = recordOf(process.pid, subcommand, place);
  try {
    writeFileSync(record, text, { mode: 0o644 });
    try {
      take(path, record, place);
    } finally {
      rmSync(record, { force: true });
    }
  } catch (error) {
    if (error instanceof LockHeld) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new LockFailed(path, code ?? "unknown", { cause: error });
  }
  let held = true;
  const release = () => {
    // Somebody may have removed the file by hand, whereupon it is another's.
    if (held && contentOf(path) === text) unlinkSync(path);
    held = false;
  };
  return { path, release, [Symbol.dispose]: release };
}

/** Makes the lock, or takes that of a dead process over. @param record a file with what is to be in it */
function take(path: string, record: string, place: LockPlace): void {
  for (;;) {
    if (linked(record, path)) return;
    const found = contentOf(path);
    if (found === undefined) continue; // released just now
    if (!isStale(found, place))
      throw new LockHeld(path, holderOf(found, place));
    const guard = `${path}.stale`;
    take(guard, record, place);
    try {
      if (contentOf(path) === found) {
        // A second name of the record goes into the lock's place, for rename(2) does nothing to two names of one file.
        const heir = `${record}.heir`;
        writeFileSync(heir, readFileSync(record), { mode: 0o644 });
        renameSync(heir, path);
        return;
      }
    } finally {
      unlinkSync(guard);
    }
  }
}

/** Gives a file a second name. @returns false if that exists */
function linked(file: string, name: string): boolean {
  try {
    linkSync(file, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined; // of a process that ends just now
    throw error;
  }
}

/** `PID START NAMESPACE SUBCOMMAND`: numbers are given anew, and each container has its own. */
function recordOf(pid: number, subcommand: string, place: LockPlace): string {
  return `${pid} ${startOf(pid, place) ?? 0} ${namespaceOf(place)} ${subcommand}\n`;
}

/** Where procfs is not to be seen, nobody can say who lives. */
const NO_NAMESPACE = "-";

const RECORD = /^([0-9]+) ([0-9]+) (\S+) ([a-z-]+)\n$/;

function holderOf(text: string, place: LockPlace): Holder | undefined {
  const [, pid, , namespace, subcommand = ""] = RECORD.exec(text) ?? [];
  if (pid === undefined) return undefined;
  return { pid: Number(pid), subcommand, visible: isOurs(namespace, place) };
}

/** Whether processes of a namespace are seen from here. */
function isOurs(namespace: string | undefined, place: LockPlace): boolean {
  return namespace !== NO_NAMESPACE && namespace === namespaceOf(place);
}

/** Whether the holder has ended; of what is no record of ours, and of other containers, nobody can say so. */
function isStale(text: string, place: LockPlace): boolean {
  const [, pid, start, namespace] = RECORD.exec(text) ?? [];
  if (pid === undefined || !isOurs(namespace, place)) return false;
  return String(startOf(Number(pid), place)) !== start;
}

/** When a living process began, in clock ticks since the machine did; undefined if there is none. @see proc(5), stat */
function startOf(pid: number, { procFolder }: LockPlace): number | undefined {
  const stat = contentOf(join(procFolder, String(pid), "stat"));
  // The second field is the program's name in parentheses, which may have blanks and parentheses in it.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields ?? [];
  const ended = state === undefined || state === "Z" || state === "X";
  return ended ? undefined : Number(fields?.[19]);
}

function namespaceOf({ procFolder }: LockPlace): string {
  try {
    return readlinkSync(join(procFolder, "self", "ns", "pid"));
  } catch {
    return NO_NAMESPACE;
  }
}
