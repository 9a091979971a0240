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
 * A lock is a file that contains a record of its holder. link(2) creates it with its content, and
 * only if it does not exist. If the holder died, the next process takes the lock over: it takes a
 * second lock, `….stale`, checks again, and replaces the dead holder's record with its own. Records
 * are only replaced under the second lock, so the record of a living holder is never replaced. The
 * second lock works like the first one, so a process that dies during this blocks nobody.
 */

/** The holder of a lock, as recorded in its file. */
export interface Holder {
  readonly pid: number;
  /** The subcommand that it runs */
  readonly subcommand: string;
  /** Whether this process can see when the holder ends; false if it runs in another container */
  readonly visible: boolean;
}

/** Another process holds the lock. */
export class LockHeld extends Error {
  override readonly name = "LockHeld";

  constructor(
    readonly path: string,
    /** undefined if the file has another format */
    readonly holder: Holder | undefined,
  ) {
    super(`${path} is held`);
  }
}

/** The lock can be neither created nor read. */
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

/** The folder of the locks, and procfs to see which processes are alive. */
export interface LockPlace {
  readonly runFolder: string;
  readonly procFolder: string;
}

/**
 * Takes the lock of this network namespace, which prevents two processes from changing its table at
 * the same time. The lock is held until it is released or the process ends.
 *
 * @param subcommand the reason, shown to others
 * @throws {LockHeld} at once, if a living process holds the lock
 * @throws {LockFailed} if the folder is missing or not writable
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
    // Someone may have deleted the file, and another process may have created its own.
    if (held && contentOf(path) === text) unlinkSync(path);
    held = false;
  };
  return { path, release, [Symbol.dispose]: release };
}

/**
 * Creates the lock, or takes it over from a dead process.
 *
 * @param record a file with the content for the lock
 */
function take(path: string, record: string, place: LockPlace): void {
  for (;;) {
    if (linked(record, path)) return;
    const found = contentOf(path);
    if (found === undefined) continue; // released in the meantime
    if (!isStale(found, place))
      throw new LockHeld(path, holderOf(found, place));
    const guard = `${path}.stale`;
    take(guard, record, place);
    try {
      if (contentOf(path) === found) {
        // Rename a second link of the record: rename(2) does nothing if both names belong to the
        // same file.
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

/** Creates a second link to a file. @returns false if the new name exists */
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
    if (code === "ENOENT" || code === "ESRCH") return undefined; // the process has just ended
    throw error;
  }
}

/** `PID START NAMESPACE SUBCOMMAND`. Process IDs are reused, and each container has its own. */
function recordOf(pid: number, subcommand: string, place: LockPlace): string {
  return `${pid} ${startOf(pid, place) ?? 0} ${namespaceOf(place)} ${subcommand}\n`;
}

/** The PID namespace; without procfs it is unknown which processes are alive. */
const NO_NAMESPACE = "-";

const RECORD = /^([0-9]+) ([0-9]+) (\S+) ([a-z-]+)\n$/;

function holderOf(text: string, place: LockPlace): Holder | undefined {
  const [, pid, , namespace, subcommand = ""] = RECORD.exec(text) ?? [];
  if (pid === undefined) return undefined;
  return { pid: Number(pid), subcommand, visible: isOurs(namespace, place) };
}

/** Whether the processes of a PID namespace are visible here. */
function isOurs(namespace: string | undefined, place: LockPlace): boolean {
  return namespace !== NO_NAMESPACE && namespace === namespaceOf(place);
}

/**
 * Whether the holder has ended. Unknown, and therefore false, for other formats and other
 * containers.
 */
function isStale(text: string, place: LockPlace): boolean {
  const [, pid, start, namespace] = RECORD.exec(text) ?? [];
  if (pid === undefined || !isOurs(namespace, place)) return false;
  return String(startOf(Number(pid), place)) !== start;
}

/**
 * The start time of a living process in clock ticks since boot; undefined if there is none.
 *
 * @see /proc/pid/stat in proc(5)
 */
function startOf(pid: number, { procFolder }: LockPlace): number | undefined {
  const stat = contentOf(join(procFolder, String(pid), "stat"));
  // The second field is the program's name in parentheses. It may contain spaces and parentheses.
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
