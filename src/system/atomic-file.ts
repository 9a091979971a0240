import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  type Stats,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { randomName } from "./random-name.js";
import { writeAll, writeByNode } from "./streams.js";

/** A file could not be written. Its old content, if any, is unchanged. */
export class OutputFailed extends Error {
  override readonly name = "OutputFailed";
  /** Whether there is an old file, which is unchanged */
  readonly existed: boolean;

  constructor(
    readonly path: string,
    /** The symbol of the error, such as EACCES */
    readonly code: string,
    options: ErrorOptions & { readonly existed?: boolean } = {},
  ) {
    super(`cannot write ${path}: ${code}`, options);
    this.existed = options.existed ?? false;
  }
}

/**
 * Writes a file atomically: writes a new file in the same folder and renames it. Readers, and the
 * file system after a crash, have either the old text or the new. Keeps the permissions, and keeps
 * owner and group if this process may set them.
 *
 * Devices and pipes are written directly: `/dev/null` stays a device.
 *
 * @param path symbolic links are followed and kept; for `/dev/stdout` and similar, the descriptor
 *   is written to
 * @param text one character per byte
 * @throws {OutputFailed} the old file is unchanged
 * @throws {OutputClosed} if the path is a pipe without a reader
 */
export function writeAtomically(path: string, text: string): void {
  let existed = false;
  try {
    const target = targetOf(path);
    if (typeof target === "number") {
      writeTo(target, text);
      return;
    }
    const found = statSync(target, { throwIfNoEntry: false });
    existed = found?.isFile() ?? false;
    if (found && !existed) writeStraight(target, text);
    else replace(target, text, found);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new OutputFailed(path, code, { cause: error, existed });
  }
}

/** Linux's limit for a chain of symbolic links. */
const MOST_LINKS = 40;

/**
 * Follows symbolic links to the file, which need not exist; or to the number of one of this
 * process's descriptors.
 */
function targetOf(path: string): string | number {
  let at = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const link = lstatSync(at, { throwIfNoEntry: false });
    if (!link?.isSymbolicLink()) return at;
    const folder = realpathSync(dirname(at));
    if (folder === ownDescriptors()) return Number(basename(at));
    // The link of another process's descriptor is only a description.
    if (!(statSync(at, { throwIfNoEntry: false })?.isFile() ?? true)) return at;
    if (isForeign(link, statSync(folder))) throw failure("EACCES");
    at = resolve(folder, readlinkSync(at));
  }
  throw failure("ELOOP");
}

function ownDescriptors(): string | undefined {
  try {
    return realpathSync("/proc/self/fd");
  } catch {
    return undefined;
  }
}

/**
 * Whether another user may have placed this link in a shared folder such as /tmp. The kernel would
 * not follow it.
 *
 * @see /proc/sys/fs/protected_symlinks in proc(5)
 */
function isForeign(link: Stats, folder: Stats): boolean {
  const { S_IWOTH } = constants;
  const shared = S_IWOTH | STICKY;
  return (
    (folder.mode & shared) === shared &&
    link.uid !== process.geteuid?.() &&
    link.uid !== folder.uid
  );
}

const STICKY = 0o1000;

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

function writeStraight(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY);
  try {
    writeTo(file, text);
  } finally {
    closeSync(file);
  }
}

function writeTo(descriptor: number, text: string): void {
  const code = writeAll(writeByNode, descriptor, Buffer.from(text, "latin1"));
  if (code !== undefined) throw failure(code);
}

/** Replaces a file, or creates it. */
function replace(path: string, text: string, old: Stats | undefined): void {
  const folder = dirname(path);
  const temporary = createTemporary(folder, old);
  try {
    writeThrough(temporary.file, text, old);
    renameSync(temporary.path, path);
  } catch (error) {
    rmSync(temporary.path, { force: true });
    throw error;
  }
  syncFolder(folder);
}

/** How many random names to try. They almost never collide. */
const MOST_NAMES = 100;

/**
 * Creates a new file. Its name is short and random: every file system has room for it, and leftovers
 * of other processes do not matter, not even in containers where each process ID is 1.
 */
function createTemporary(
  folder: string,
  old: Stats | undefined,
): { readonly path: string; readonly file: number } {
  const mode = old ? old.mode & 0o777 : 0o666;
  for (let left = MOST_NAMES; ; left--) {
    const path = join(folder, `.ipvsadm-${randomName()}.tmp`);
    try {
      return { path, file: openSync(path, "wx", mode) };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "EEXIST" || left === 0) throw error;
    }
  }
}

/** Writes a new file, gives it the attributes of the old one, and waits until it is on the disk. */
function writeThrough(file: number, text: string, old?: Stats): void {
  try {
    writeFileSync(file, text, "latin1");
    if (old) {
      giveTo(old, file);
      fchmodSync(file, old.mode & 0o777); // the umask may have removed bits
    }
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Sets owner and group. Only root may change the owner; anyone may set one of their own groups. */
function giveTo({ uid, gid }: Stats, file: number): void {
  for (const owner of [uid, -1])
    try {
      fchownSync(file, owner, gid);
      return;
    } catch {
      // A file that this user owns is better than none.
    }
}

/**
 * Flushes the folder, so that the new name is on the disk too. Some file systems do not support it.
 */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // The file itself is complete in any case.
  }
}
