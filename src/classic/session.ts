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

/** How many changes are gathered before the kernel is asked. */
const BATCH_CHANGES = 1024;

/** Ends the run, however many lines are still to come. */
export class End extends Error {
  constructor(readonly status: number) {
    super(`the run ends with status ${status}`);
  }
}

/**
 * A run of the classic language: commands are carried out in their order, changes of the table many to a
 * system call, and each complaint is made in its place.
 */
export class Session {
  readonly #io: ClassicIo;
  /** How far long work is */
  readonly progress: Progress;
  readonly #hosts = new Map<string, Address | undefined>();
  readonly #parser: Parser;
  /** Loaded when the kernel is asked */
  #access: IpvsAccess | undefined;
  #pending: Change[] = [];
  /** That of the line which was carried out last */
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

  /** The status of the line that was carried out last. */
  get status(): number {
    return this.#status;
  }

  /**
   * Carries out a command; a change may wait for `flush`.
   *
   * @returns what to wait for, if there is something: most changes only join the others
   * @throws {End} rather, the promise does
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

  /** Carries out the changes that have been gathered, and says what the kernel refused, in their order. */
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
   * Reads a line, finding out the hosts that it names.
   *
   * @returns a promise if it names any
   * @throws {UsageFault} when it is at fault; `complainOf` says so
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
    await this.flush(); // a resolver can take long, and what has been said before is not to wait for it
    const address = await this.#io.names.hostAddress(host);
    this.#hosts.set(
      host,
      address === undefined ? undefined : parseIpv4(address),
    );
  }

  /**
   * Says what is wrong with a line, behind what the lines before it had to say.
   *
   * @throws {End} unless it is a fault of the scanner, after which the original goes on
   */
  async complainOf(fault: UsageFault): Promise<void> {
    await this.flush();
    this.complain(this.sentenceOf(fault));
    this.#status = statusOf(fault);
    if (fault.kind !== "scanner") throw new End(this.#status);
  }

  /** What the original prints of a fault. */
  sentenceOf({ kind, sentence }: UsageFault): string {
    if (kind !== "not-a-command") return sentence;
    const program = this.#io.program();
    return `Try \`${program} -h' or '${program} --help' for more information.`;
  }

  /** Shows a text that ends the run, behind what the lines before it had to say. @throws {End} */
  async #endWith(text: string): Promise<never> {
    await this.flush();
    this.#io.stdout(text);
    throw new End(DONE);
  }

  /** Finds IPVS, having its module loaded if it is not there. */
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
   * Where netlink knows no IPVS, the original tries a raw socket, and it is that socket's error which it
   * prints.
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

/** With which status a fault of the command line ends it. */
export function statusOf({ kind }: UsageFault): number {
  return kind === "scanner" || kind === "not-a-command" ? REFUSED : USED_WRONG;
}

function sentenceFor(failure: Error): string {
  return failure instanceof KernelRefusal
    ? refusalText(failure.command, failure.errno)
    : failure.message;
}
