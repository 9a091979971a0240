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
import { writeAll, writeByNode } from "./streams.js";

/** A file cannot be written; what was in it before, if anything, stands. */
export class OutputFailed extends Error {
  override readonly name = "OutputFailed";
  /** Whether there was a file before, which stands */
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
 * Writes a file whole or not at all: to a file beside it, which then takes its name. Who reads it meanwhile, and who
 * finds it after the machine went down, has the old text or the new. Its permissions stay, and its owner and group as
 * far as this process may give files away.
 *
 * What is no regular file, such as a device or a pipe, is written to as it is: `/dev/null` stays what it is.
 *
 * @param path a symbolic link is followed, and stays; of `/dev/stdout` and the like the descriptor is written to
 * @param text one character a byte
 * @throws {OutputFailed} and a regular file is as it was
 * @throws {OutputClosed} when it is a pipe that nobody reads any more
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

/** As many links as Linux follows. */
const MOST_LINKS = 40;

/** The file at the end of a chain of symbolic links, which need not exist; or the number of an open one of our own. */
function targetOf(path: string): string | number {
  let at = path;
  for (let links = 0; links < MOST_LINKS; links++) {
    const link = lstatSync(at, { throwIfNoEntry: false });
    if (!link?.isSymbolicLink()) return at;
    const folder = realpathSync(dirname(at));
    if (folder === ownDescriptors()) return Number(basename(at));
    // Other processes' descriptors: what the link says is a name for people.
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
 * Whether somebody else may have laid a link in our way, in a folder such as /tmp: the kernel would not follow it.
 *
 * @see proc(5), /proc/sys/fs/protected_symlinks
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

/** Puts a new file in the place of an old one, or of none. */
function replace(path: string, text: string, old: Stats | undefined): void {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    writeThrough(beside, text, old);
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** Writes a new file like an old one, and waits until it is on the disk. */
function writeThrough(path: string, text: string, old?: Stats): void {
  const mode = old && old.mode & 0o777;
  const file = openSync(path, "wx", mode ?? 0o666);
  try {
    writeFileSync(file, text, "latin1");
    if (old) giveTo(old, file);
    if (mode !== undefined) fchmodSync(file, mode); // which the umask may have cut
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Only root may give a file away; to a group of its own, everybody. */
function giveTo({ uid, gid }: Stats, file: number): void {
  for (const owner of [uid, -1])
    try {
      fchownSync(file, owner, gid);
      return;
    } catch {
      // A file that is ours is better than none.
    }
}

/** The new name is on the disk only when the folder is. Some file systems cannot be told so. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, "r");
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // The file itself is whole either way.
  }
}
