import {
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from "node:fs";
import { isAbsolute } from "node:path";

/** What a running keepalived has read, as far as its process tells. */
export type KeepalivedProcess =
  /** It does not run in this network namespace */
  | { readonly kind: "stopped" }
  /** It reads another file */
  | { readonly kind: "other-file"; readonly pid: number; readonly file: string }
  /** The configuration that it read last, with all included files */
  | { readonly kind: "read"; readonly pid: number; readonly text: string }
  /** It started after the last change of the file, and keeps nothing of it that can be read */
  | { readonly kind: "started-later"; readonly pid: number }
  | { readonly kind: "unknown"; readonly pid: number | undefined };

const DEFAULT_FILE = "/etc/keepalived/keepalived.conf";

/**
 * Since 2.1, the parent process keeps the configuration in memory, for its children. It writes it at each reload.
 *
 * @see init_data() in lib/parser.c of keepalived
 */
const KEPT = "/memfd:/keepalived/consolidated_configuration";

/**
 * Finds out what keepalived has read.
 *
 * @param procFolder where procfs is
 * @param name the file that it should have read
 */
export function findKeepalived(
  procFolder: string,
  name: string,
): KeepalivedProcess {
  const proc = new ProcessFolder(procFolder);
  const pids = proc.parentsNamed("keepalived");
  const [first] = pids;
  if (first === undefined)
    // With the mount option hidepid, processes of others are invisible.
    return proc.seesAll
      ? { kind: "stopped" }
      : { kind: "unknown", pid: undefined };
  const pid = pids.find((pid) => isFile(fileOf(proc.commandLine(pid)), name));
  if (pid === undefined)
    return {
      kind: "other-file",
      pid: first,
      file: fileOf(proc.commandLine(first)),
    };
  const text = proc.openFile(pid, KEPT);
  if (text !== undefined) return { kind: "read", pid, text };
  return startedLater(proc, pid, name)
    ? { kind: "started-later", pid }
    : { kind: "unknown", pid };
}

/** The file of -f, --use-file or the default. */
function fileOf(words: readonly string[]): string {
  for (const [i, word] of words.entries()) {
    const [, value] = /^(?:-f|--use-file=)(.+)$/.exec(word) ?? [];
    if (value !== undefined) return value;
    if (word === "-f" || word === "--use-file")
      return words[i + 1] ?? DEFAULT_FILE;
  }
  return DEFAULT_FILE;
}

function isFile(used: string, name: string): boolean {
  // A relative path was relative to a folder that keepalived has left.
  return !isAbsolute(used) || realPath(used) === realPath(name);
}

function realPath(name: string): string {
  try {
    return realpathSync(name);
  } catch {
    return name;
  }
}

/** Whether the process is younger than all that it should have read. */
function startedLater(proc: ProcessFolder, pid: number, name: string): boolean {
  const started = proc.startMilliseconds(pid);
  if (started === undefined) return false;
  try {
    // Included files may be younger.
    if (/^\s*include/m.test(readFileSync(name, "latin1"))) return false;
    // The change time is also that of a file that was moved to its place.
    return statSync(name).ctimeMs < started;
  } catch {
    return false;
  }
}

class ProcessFolder {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether processes of other users are visible. */
  get seesAll(): boolean {
    return this.#read("1/stat") !== undefined;
  }

  /** The processes with a name in this network namespace that have no parent of that name. */
  parentsNamed(name: string): number[] {
    const own = this.#link("self/ns/net");
    const found = new Map<number, number>();
    for (const pid of this.#list("").map(Number).filter(Number.isInteger)) {
      if (this.#read(`${pid}/comm`)?.trim() !== name) continue;
      const namespace = this.#link(`${pid}/ns/net`);
      if (namespace === undefined || namespace === own)
        found.set(pid, Number(this.#status(pid)[1]));
    }
    return [...found]
      .filter(([, parent]) => !found.has(parent))
      .map(([pid]) => pid);
  }

  commandLine(pid: number): string[] {
    return this.#read(`${pid}/cmdline`)?.split("\0") ?? [];
  }

  /** The content of an open file of a process, by a part of its path. */
  openFile(pid: number, path: string): string | undefined {
    const descriptor = this.#list(`${pid}/fd`).find((one) =>
      this.#link(`${pid}/fd/${one}`)?.includes(path),
    );
    return descriptor === undefined
      ? undefined
      : this.#read(`${pid}/fd/${descriptor}`);
  }

  /** When a process started, in milliseconds since 1970. */
  startMilliseconds(pid: number): number | undefined {
    const [, seconds] = /^btime (\d+)$/m.exec(this.#read("stat") ?? "") ?? [];
    // In hundredths of a second since boot. @see proc(5), /proc/PID/stat, field 22
    const started = Number(this.#status(pid)[19]);
    return seconds === undefined || Number.isNaN(started)
      ? undefined
      : Number(seconds) * 1000 + started * 10;
  }

  /** The fields of /proc/PID/stat after the name, which may contain spaces. */
  #status(pid: number): string[] {
    return (this.#read(`${pid}/stat`) ?? "").replace(/^.*\) /s, "").split(" ");
  }

  #read(path: string): string | undefined {
    try {
      return readFileSync(`${this.#folder}/${path}`, "latin1");
    } catch {
      return undefined; // the process has ended, or belongs to somebody else
    }
  }

  #link(path: string): string | undefined {
    try {
      return readlinkSync(`${this.#folder}/${path}`);
    } catch {
      return undefined;
    }
  }

  #list(path: string): string[] {
    try {
      return readdirSync(`${this.#folder}/${path}`);
    } catch {
      return [];
    }
  }
}
