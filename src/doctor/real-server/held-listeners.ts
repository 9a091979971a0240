import { linkTarget, textOf } from "../../system/files.js";
import { namesIn } from "../../system/kernel-module.js";
import { decodeUtf8 } from "../../text/utf8.js";

/** A program that has a listening socket and does not run. */
export interface HeldListener {
  readonly port: number;
  readonly pid: number;
  /** The name of the process: at most 15 bytes */
  readonly name: string;
  /** `stopped` by a signal, `traced` by a debugger, or it `waits` in the kernel, for a disk or a network file system */
  readonly state: "stopped" | "traced" | "waits";
  /** The debugger, if there is one */
  readonly tracer?: { readonly pid: number; readonly name: string } | undefined;
}

/** The states of a process that does not run. @see task_state_array in fs/proc/array.c */
const STATES: Readonly<Record<string, HeldListener["state"]>> = {
  T: "stopped",
  t: "traced",
  D: "waits",
};

/**
 * The programs that listen at TCP ports and do not run, as far as procfs shows them: the files of a process are visible to its
 * owner and to root.
 *
 * @param ports the ports that matter
 */
export function readHeldListeners(
  procFolder: string,
  ports: ReadonlySet<number>,
): HeldListener[] {
  if (ports.size === 0) return [];
  const sockets = listeningSockets(procFolder, ports);
  return namesIn(procFolder)
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((pid) => heldBy(procFolder, Number(pid), sockets));
}

/** The listening sockets at TCP ports, as links in procfs name them: `socket:[4711]`. */
export function listeningSockets(
  procFolder: string,
  ports: ReadonlySet<number>,
): Map<string, number> {
  const sockets = new Map<string, number>();
  for (const name of ["tcp", "tcp6"])
    for (const [inode, port] of socketsIn(
      textOf(`${procFolder}/net/${name}`) ?? "",
    ))
      if (ports.has(port)) sockets.set(`socket:[${inode}]`, port);
  return sockets;
}

/** The inodes of the listening sockets in a file of procfs, with their ports. */
function socketsIn(text: string): [inode: string, port: number][] {
  const rows = text.matchAll(
    /^ *[0-9]+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A [0-9A-F:]+ [0-9A-F:]+ [0-9A-F]+ +[0-9]+ +[0-9]+ ([0-9]+) /gm,
  );
  return Array.from(rows, ([, port = "", inode = ""]) => [
    inode,
    Number.parseInt(port, 16),
  ]);
}

/** The sockets that a process has, if it does not run. */
function heldBy(
  procFolder: string,
  pid: number,
  sockets: ReadonlyMap<string, number>,
): HeldListener[] {
  const { name, letter } = processAt(procFolder, pid) ?? {};
  const state = STATES[letter ?? ""];
  if (name === undefined || state === undefined) return [];
  const held = new Set(
    namesIn(`${procFolder}/${pid}/fd`).flatMap((number) => {
      const port = sockets.get(
        linkTarget(`${procFolder}/${pid}/fd/${number}`) ?? "",
      );
      return port === undefined ? [] : [port];
    }),
  );
  const tracer = held.size === 0 ? undefined : tracerOf(procFolder, pid);
  return Array.from(held, (port) => ({
    ...{ port, pid, name, tracer },
    state: tracer && state === "stopped" ? "traced" : state,
  }));
}

/** The name and state of a process. The name can contain any character. @see proc_pid_stat(5) */
export function processAt(
  procFolder: string,
  pid: number,
): { readonly name: string; readonly letter: string } | undefined {
  const text = textOf(`${procFolder}/${pid}/stat`);
  const [, name, letter] = /^[0-9]+ \(([^]*)\) (\w) /.exec(text ?? "") ?? [];
  return name === undefined || letter === undefined
    ? undefined
    : { name: decodeUtf8(name), letter };
}

function tracerOf(procFolder: string, pid: number): HeldListener["tracer"] {
  const status = textOf(`${procFolder}/${pid}/status`) ?? "";
  const tracer = Number(/^TracerPid:\s*([0-9]+)$/m.exec(status)?.[1] ?? 0);
  return tracer === 0
    ? undefined
    : { pid: tracer, name: processAt(procFolder, tracer)?.name ?? "?" };
}
