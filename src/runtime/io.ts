import type { Link } from "../netlink/link.js";
import type { Clock } from "../system/clock.js";
import type { Names } from "../system/names.js";
import type { EndingSignal } from "../system/signals.js";
import type { Streams } from "../system/streams.js";
import type { TakenTerminal, TerminalEvent } from "../system/full-screen.js";
import type { Terminal } from "../system/terminal.js";

/** The program's environment, as far as the classic options need it. */
export interface ClassicIo extends Streams {
  /**
   * Whether the runtime interprets code: then operations on strings are much faster than loops over bytes. Absent: it
   * compiles code.
   */
  readonly interpretsCode?: boolean;
  /** How the program was called: argv[0], which the original's hint repeats. */
  program(): string;
  readonly names: Names;
  /**
   * Opens a netlink socket.
   *
   * @param family which part of the kernel is spoken to; generic netlink if it is not said
   * @throws {SocketFault} when there is none to be had
   */
  openLink(family?: number): Link | Promise<Link>;
  /** Has the module ip_vs loaded, if that is possible. */
  loadModule(): void;
  /** Whether the process may open raw sockets, by which the original tells apart why there is no IPVS. */
  mayOpenRawSockets(): boolean;
  /** The kernel's own listing of virtual services and real servers; undefined if it cannot be read. */
  kernelTable(): Buffer | undefined;
  /** Where the kernel shows the connections. */
  readonly connectionsFile: string;
  readonly terminal: Pick<Terminal, "isTerminal">;
  /** How long standard input is, in bytes, if it is a file. */
  stdinBytes(): number | undefined;
  readonly clock: Pick<Clock, "now" | "every">;
  /** A variable of the environment. */
  environment(name: string): string | undefined;
}

/** The program's environment: a test hands in its own. */
export interface Io extends ClassicIo {
  /** Whether the process may change, and ask for, the table: CAP_NET_ADMIN. */
  mayAdministerNetworks(): boolean;
  /** Where procfs is: `/proc`. */
  readonly procFolder: string;
  /** Where sysfs is: `/sys`. */
  readonly sysFolder: string;
  /** Where the modules of all kernels are: `/lib/modules`. */
  readonly modulesFolder: string;
  /** Where what does not outlive the machine's next start is kept: `/run`. */
  readonly runFolder: string;
  readonly terminal: Terminal;
  readonly clock: Clock;
  /**
   * Has the signals that would end the process told instead.
   *
   * @returns lets them do again what they usually do
   */
  catchSignals(listen: (signal: EndingSignal) => void): () => void;
  /**
   * Takes over the terminal that stdin and stdout are, for a full screen.
   *
   * @param listen gets what happens there: keys, a new size, signals
   * @param lastly is called when the process ends without having released it
   */
  takeTerminal(
    listen: (event: TerminalEvent) => void,
    lastly: () => void,
  ): TakenTerminal;
}
