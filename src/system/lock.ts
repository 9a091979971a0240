import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { networkNamespace } from "./namespaces.js";
import { randomName } from "./random-name.js";

/*
 * A lock is a file that contains a record of its holder. link(2) creates it with its content, and
 * only if it does not exist. If the holder died, the next process takes the lock over: it takes a
 * second lock, `….stale`, checks again, and replaces the dead holder's record with its own. Records
 * are only replaced under the second lock, so the record of a living holder is never replaced. The
 * second lock works like the first one, so a process that dies during this blocks nobody.
 */

/**
 * The holder of a lock, as recorded in its file.
 *
 * @since 0.2.0
 */
export interface Holder {
  /** Its process ID, in its own PID namespace */
  readonly pid: number;
  /** The subcommand that it runs, or `library`: a program that uses the library */
  readonly subcommand: string;
  /** Whether this process can see when the holder ends; false if it runs in another container */
  readonly visible: boolean;
}

/**
 * Another process holds the lock of the table.
 *
 * @since 0.2.0
 */
export class LockHeld extends Error {
  override readonly name = "LockHeld";
  /** What to do next, as a phrase without a period */
  readonly advice: string = "wait until the other process ends";

  constructor(
    /** The lock file */
    readonly path: string,
    /** undefined if the file is not a lock file of ipvsadm */
    readonly holder: Holder | undefined,
  ) {
    super(`${path} is held`);
  }
}

/**
 * The lock can be neither created nor read.
 *
 * @since 0.2.0
 */
export class LockFailed extends Error {
  override readonly name = "LockFailed";
  /** What to do next, as a phrase without a period */
  readonly advice: string = "run it as root, or make the folder writable";

  constructor(
    /** The lock file */
    readonly path: string,
    /** The symbol of the error, such as EACCES */
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(`cannot lock ${path}: ${code}`, options);
  }
}

/** The holder's name if it is a program that uses the library. */
export const LIBRARY = "library";

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
  let text: string;
  try {
    text = recordOf(process.pid, subcommand, place);
    const record = createRecord(path, text);
    try {
      take(path, record, text, place);
      removeLeftovers(path, place);
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
    if (held && hasRecord(path, text)) removeIfPossible(path);
    held = false;
  };
  return { path, release, [Symbol.dispose]: release };
}

/** How often to try if the lock is released at each attempt. */
const MOST_ATTEMPTS = 100;

/**
 * Creates the lock, or takes it over from a dead process.
 *
 * @param record a file with the content for the lock
 * @returns whether it was taken over
 * @throws {LockHeld} if a living process holds the lock, or the file is not a lock
 */
function take(
  path: string,
  record: string,
  text: string,
  place: LockPlace,
): void {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    if (linked(record, path)) return;
    const found = recordIn(path);
    if (found === undefined) continue; // released in the meantime
    if (!isStale(found, place))
      throw new LockHeld(path, holderOf(found, place));
    const guard = `${path}.stale`;
    take(guard, record, text, place);
    try {
      if (recordIn(path) === found) {
        // Rename a second file: rename(2) does nothing if both names belong to the same file.
        const second = createRecord(path, text);
        try {
          renameSync(second, path);
        } catch (error) {
          removeIfPossible(second);
          throw error;
        }
        return;
      }
    } finally {
      unlinkSync(guard);
    }
  }
  throw new LockHeld(path, undefined);
}

/** Creates a file with a record, beside the lock. If the disk is full, nothing is left of it. */
function createRecord(path: string, text: string): string {
  const record = `${path}.${randomName()}`;
  const file = openSync(record, "wx", 0o644);
  try {
    writeFileSync(file, text);
  } catch (error) {
    removeIfPossible(record);
    throw error;
  } finally {
    closeSync(file);
  }
  return record;
}

/** The names of records beside the lock, without the lock's name. */
const RECORD_NAME = /^\.(?:[0-9a-z]{8}|[0-9]+(?:\.heir)?)$/;

/** Removes records that dead processes have left beside the lock. */
function removeLeftovers(path: string, place: LockPlace): void {
  const folder = dirname(path);
  const lock = basename(path);
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(lock) || !RECORD_NAME.test(name.slice(lock.length)))
      continue;
    const record = join(folder, name);
    try {
      const text = recordIn(record);
      if (text !== undefined && isStale(text, place)) unlinkSync(record);
    } catch {
      // Not a record of ours, or it was removed in the meantime.
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

/** Removes a file of this process. If the file system is read-only now, it is stale as soon as this process has ended. */
function removeIfPossible(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The work is done, so this is no reason to fail.
  }
}

function hasRecord(path: string, text: string): boolean {
  try {
    return recordIn(path) === text;
  } catch {
    return false; // something else has taken its place
  }
}

/** Longer than any record. */
const MOST_BYTES = 4096;

/**
 * The content of a lock file.
 *
 * @returns undefined if there is no such file
 * @throws {LockHeld} if it is not a regular file. Reading a FIFO would block, and a dangling symbolic
 *   link would look like a file that was just released
 */
function recordIn(path: string): string | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: number;
  try {
    // Opening a device can have side effects.
    if (!lstatSync(path).isFile()) throw new LockHeld(path, undefined);
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    // ELOOP: a symbolic link. ENXIO: a socket.
    if (code === "ELOOP" || code === "ENXIO")
      throw new LockHeld(path, undefined);
    throw error;
  }
  try {
    if (!fstatSync(file).isFile()) throw new LockHeld(path, undefined);
    const buffer = Buffer.alloc(MOST_BYTES);
    const length = readSync(file, buffer, 0, MOST_BYTES, 0);
    return buffer.toString("latin1", 0, length);
  } finally {
    closeSync(file);
  }
}

function statOf(pid: number, procFolder: string): string | undefined {
  try {
    return readFileSync(join(procFolder, String(pid), "stat"), "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined; // the process has ended
    throw error;
  }
}

/** `PID START NAMESPACE SUBCOMMAND`. Process IDs are reused, and each container has its own. */
function recordOf(pid: number, subcommand: string, place: LockPlace): string {
  return `${pid} ${startOf(pid, place) ?? 0} ${namespaceOf(place)} ${subcommand}\n`;
}

/** The PID namespace; without procfs it is unknown which processes are alive. */
const NO_NAMESPACE = "-";

const RECORD = /^([0-9]+) ([0-9]+) (\S+) ([a-z-]+(?: [a-z-]+)*)\n$/;

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
  const stat = statOf(pid, procFolder);
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
