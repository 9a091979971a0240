import type { IpvsAccess } from "../runtime/ipvs-access.js";
import type { ClassicCommand, SingleCommand } from "../grammar/command.js";
import type { Lookups } from "../grammar/endpoint.js";
import { UnresolvedHost, UsageFault } from "../grammar/usage-errors.js";
import { Parser } from "../grammar/parse.js";
import { parseIpv4, type Address } from "../ipvs/address.js";
import type { Change, IpvsClient } from "../ipvs/client.js";
import { IpvsUnavailable, KernelRefusal } from "../ipvs/errors.js";
import type { ClassicIo } from "../runtime/io.js";
import { ENOENT, ENOPROTOOPT, EPERM } from "../netlink/errno.js";
import type { SocketFault } from "../netlink/errors.js";
import { helpText, VERSION_TEXT } from "./help.js";
import { refusalText } from "./messages.js";
import { TRANSPORTS } from "../ipvs/model.js";
import { Progress } from "../runtime/progress.js";

/** The original's exit statuses. */
export const DONE = 0;
const LISTING_FAILED = 1;
const USED_WRONG = 2;
export const REFUSED = 255;

/** Number of changes per system call. */
const BATCH_CHANGES = 1024;

/** Ends the run, even if there are more lines. */
export class End extends Error {
  constructor(readonly status: number) {
    super(`the run ends with status ${status}`);
  }
}

/**
 * Runs classic commands in order. Collects changes and sends many of them per system call. Error
 * messages appear in the order of the lines.
 */
export class Session {
  readonly #io: ClassicIo;
  /** The progress of long work */
  readonly progress: Progress;
  readonly #hosts = new Map<string, Address | undefined>();
  readonly #parser: Parser;
  /** Loaded with the first request to the kernel */
  #access: IpvsAccess | undefined;
  #pending: Change[] = [];
  /** The status of the last line */
  #status = DONE;

  constructor(io: ClassicIo) {
    this.progress = new Progress(io);
    this.#io = this.progress.io;
    const lookups: Lookups = {
      host: (name) => {
        if (!this.#hosts.has(name)) throw new UnresolvedHost(name);
        return this.#hosts.get(name);
      },
      port: (service, protocol) =>
        io.names.servicePort(service, TRANSPORTS[protocol]),
    };
    this.#parser = new Parser(lookups);
  }

  close(): void {
    this.progress.end();
    this.#access?.close();
  }

  /** The status of the last line. */
  get status(): number {
    return this.#status;
  }

  /**
   * Carries out a command. A change may wait for flush().
   *
   * @returns a promise if there is something to wait for; most changes are only collected
   * @throws {End} through the promise
   */
  carryOut(command: SingleCommand): Promise<void> | undefined {
    switch (command.command) {
      case "list":
      case "save":
        return this.#show(command);
      case "help":
        return this.#endWith(helpText());
      case "version":
        return this.#endWith(VERSION_TEXT);
      default:
        this.#pending.push(command);
        return this.#pending.length >= BATCH_CHANGES ? this.flush() : undefined;
    }
  }

  /** Sends the collected changes and reports refusals in order. */
  async flush(): Promise<void> {
    const changes = this.#pending;
    if (changes.length === 0) return;
    this.#pending = [];
    const client = await this.open();
    for (const failure of await client.apply(changes)) {
      this.#status = failure ? REFUSED : DONE;
      if (failure) this.complain(sentenceFor(failure));
    }
  }

  async #show(
    command: Extract<ClassicCommand, { command: "list" | "save" }>,
  ): Promise<void> {
    await this.flush();
    const client = await this.open();
    const { list, NoConnectionsFile, save } = await import("./listing.js");
    try {
      if (command.command === "list") await list(command, client, this.#io);
      else await save(command.numeric, client, this.#io);
      this.#status = DONE;
    } catch (error) {
      if (error instanceof KernelRefusal) this.complain(sentenceFor(error));
      else if (error instanceof NoConnectionsFile)
        this.complain(`cannot open file ${error.message}`);
      else throw error;
      throw new End(LISTING_FAILED);
    }
  }

  /**
   * Parses a line, and looks up the hosts in it.
   *
   * @returns a promise if there are hosts to look up
   * @throws {UsageFault} if the line is invalid; see complainOf()
   */
  read(words: readonly string[]): ClassicCommand | Promise<ClassicCommand> {
    try {
      return this.#parser.read(words);
    } catch (error) {
      if (!(error instanceof UnresolvedHost)) throw error;
      return this.#readNaming(error.host, words);
    }
  }

  async #readNaming(
    host: string,
    words: readonly string[],
  ): Promise<ClassicCommand> {
    await this.#resolve(host);
    return this.read(words);
  }

  async #resolve(host: string): Promise<void> {
    await this.flush(); // a lookup can take long, so carry out the earlier lines first
    const address = await this.#io.names.hostAddress(host);
    this.#hosts.set(
      host,
      address === undefined ? undefined : parseIpv4(address),
    );
  }

  /**
   * Reports an invalid line, after the messages of earlier lines.
   *
   * @throws {End} except for a scanner error, after which the original continues
   */
  async complainOf(fault: UsageFault): Promise<void> {
    await this.flush();
    this.complain(this.sentenceOf(fault));
    this.#status = statusOf(fault);
    if (fault.kind !== "scanner") throw new End(this.#status);
  }

  /** The original's message for a usage error. */
  sentenceOf({ kind, sentence }: UsageFault): string {
    if (kind !== "not-a-command") return sentence;
    const program = this.#io.program();
    return `Try \`${program} -h' or '${program} --help' for more information.`;
  }

  /** Prints a text that ends the run, after the output of earlier lines. @throws {End} */
  async #endWith(text: string): Promise<never> {
    await this.flush();
    this.#io.stdout(text);
    throw new End(DONE);
  }

  /** Opens IPVS, and loads the module if needed. */
  async open(): Promise<IpvsClient> {
    const { IpvsAccess, isUnavailable } =
      await import("../runtime/ipvs-access.js");
    this.#access ??= new IpvsAccess(this.#io);
    try {
      return await this.#access.open();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      this.complain(
        `Can't initialize ipvs: ${refusalText(undefined, this.#reason(error))}`,
      );
      this.complain(
        "Are you sure that IP Virtual Server is built in the kernel or as module?",
      );
      throw new End(USED_WRONG);
    }
  }

  /**
   * The errno if IPVS is not available. The original then opens a raw socket and prints that
   * socket's error.
   */
  #reason(error: IpvsUnavailable | SocketFault): number {
    if (error instanceof IpvsUnavailable && error.errno !== ENOENT)
      return error.errno;
    return this.#io.mayOpenRawSockets() ? ENOPROTOOPT : EPERM;
  }

  /** Prints a line on stderr. */
  complain(sentence: string): void {
    this.#io.stderr(`${sentence}\n`);
  }
}

/** The exit status for a usage error. */
export function statusOf({ kind }: UsageFault): number {
  return kind === "scanner" || kind === "not-a-command" ? REFUSED : USED_WRONG;
}

function sentenceFor(failure: Error): string {
  return failure instanceof KernelRefusal
    ? refusalText(failure.command, failure.errno)
    : failure.message;
}
