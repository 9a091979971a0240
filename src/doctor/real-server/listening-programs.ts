import { linkTarget } from "../../system/files.js";
import { namesIn } from "../../system/kernel-module.js";
import { listeningSockets, processAt } from "./held-listeners.js";

/** A program that listens at a TCP port. */
export interface ListeningProgram {
  readonly port: number;
  readonly pid: number;
  /** The name of the process: at most 15 bytes */
  readonly name: string;
}

/**
 * The programs that listen at TCP ports, as far as procfs shows them: the files of a process are visible to its owner and to
 * root. Of the processes that share a socket only the first is named.
 */
export function readListeningPrograms(
  procFolder: string,
  ports: ReadonlySet<number>,
): ListeningProgram[] {
  if (ports.size === 0) return [];
  const sockets = listeningSockets(procFolder, ports);
  const found = new Map<string, ListeningProgram>();
  const pids = namesIn(procFolder)
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
  for (const pid of pids)
    for (const number of namesIn(`${procFolder}/${pid}/fd`)) {
      const socket = linkTarget(`${procFolder}/${pid}/fd/${number}`) ?? "";
      const port = sockets.get(socket);
      if (port === undefined || found.has(socket)) continue;
      const name = processAt(procFolder, pid)?.name;
      if (name !== undefined) found.set(socket, { port, pid, name });
    }
  return [...found.values()];
}
