import type { Link } from "../netlink/link.js";
import type { Clock } from "../system/clock.js";
import type { Names } from "../system/names.js";
import type { EndingSignal } from "../system/signals.js";
import type { Streams } from "../system/streams.js";
import type { FullScreen, TerminalEvent } from "../system/full-screen.js";
import type { Terminal } from "../system/terminal.js";

/** The part of the program's environment that the classic options need. */
export interface ClassicIo extends Streams {
  /**
   * Whether the runtime interprets code. Operations on strings are then much faster than loops over
   * bytes. By default the runtime compiles code.
   */
  readonly interpretsCode?: boolean;
  /** The name by which the program was called (argv[0]). The original repeats it in its hint. */
  program(): string;
  readonly names: Names;
  /**
   * Opens a netlink socket.
   *
   * @param family the netlink family; by default generic netlink
   * @throws {SocketFault} if the socket cannot be opened
   */
  openLink(family?: number): Link | Promise<Link>;
  /** Loads the module ip_vs if needed. Ignores errors. */
  loadModule(): void;
  /**
   * Whether the process may open raw sockets. The original uses this to tell why IPVS is not
   * available.
   */
  mayOpenRawSockets(): boolean;
  /**
   * The content of /proc/net/ip_vs: virtual services and real servers; undefined if it cannot be
   * read.
   */
  kernelTable(): Buffer | undefined;
  /** The file that lists the connections. */
  readonly connectionsFile: string;
  readonly terminal: Pick<Terminal, "isTerminal">;
  /** The size of standard input in bytes; undefined if it is not a regular file. */
  stdinBytes(): number | undefined;
  readonly clock: Pick<Clock, "now" | "every">;
  /** An environment variable. */
  environment(name: string): string | undefined;
}

/**
 * The program's environment: streams, sockets, files, clock and terminal. Tests implement their
 * own.
 */
export interface Io extends ClassicIo {
  /** Whether the process may read and change the table: CAP_NET_ADMIN. */
  mayAdministerNetworks(): boolean;
  /** Where procfs is mounted: `/proc`. */
  readonly procFolder: string;
  /** Where sysfs is mounted: `/sys`. */
  readonly sysFolder: string;
  /** The folder with the modules of all kernels: `/lib/modules`. */
  readonly modulesFolder: string;
  /** The folder for files that are needed only until reboot: `/run`. */
  readonly runFolder: string;
  readonly terminal: Terminal;
  readonly clock: Clock;
  /**
   * Catches the signals that would end the process.
   *
   * @returns a function that restores the default
   */
  catchSignals(listen: (signal: EndingSignal) => void): () => void;
  /**
   * Puts the terminal of stdin and stdout into full-screen mode.
   *
   * @param listen gets the events: keys, a new size, signals
   * @param lastly is called if the process ends without releasing the terminal
   */
  enterFullScreen(
    listen: (event: TerminalEvent) => void,
    lastly: () => void,
  ): FullScreen;
}
