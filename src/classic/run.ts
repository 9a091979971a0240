import type { ClassicCommand } from "../grammar/command.js";
import type { Lookups } from "../grammar/endpoint.js";
import { UnresolvedHost, UsageFault } from "../grammar/faults.js";
import { ruleWords } from "../grammar/line.js";
import { parse } from "../grammar/parse.js";
import { parseIpv4, type Address } from "../ipvs/address.js";
import { IpvsClient, type Change } from "../ipvs/client.js";
import { IpvsUnavailable, KernelRefusal } from "../ipvs/errors.js";
import type { Io } from "../io.js";
import { ENOENT, ENOPROTOOPT, EPERM } from "../netlink/errno.js";
import { SocketFault } from "../netlink/errors.js";
import { exchangeOver } from "../netlink/exchange.js";
import type { Link } from "../netlink/link.js";
import { helpText, VERSION_TEXT } from "./help.js";
import { list, NoConnectionsFile, save } from "./listing.js";
import { refusalText } from "./messages.js";
import { TRANSPORTS } from "./naming.js";

/** The original's exit statuses. */
const DONE = 0;
const LISTING_FAILED = 1;
const USED_WRONG = 2;
const REFUSED = 255;

/** How many changes are gathered before the kernel is asked. */
const BATCH_CHANGES = 1024;

/**
 * Carries out a command line of the classic language.
 *
 * @param words the command line without the program's name, one character a byte
 * @returns the exit status
 */
export async function runClassic(
  words: readonly string[],
  io: Io,
): Promise<number> {
  const run = new ClassicRun(io);
  try {
    return await run.commandLine(words);
  } catch (error) {
    if (error instanceof End) return error.status;
    throw error;
  } finally {
    run.close();
  }
}

/** Ends the run, however many lines are still to come. */
class End extends Error {
  constructor(readonly status: number) {
    super(`the run ends with status ${status}`);
  }
}

class ClassicRun {
  readonly #io: Io;
  readonly #hosts = new Map<string, Address | undefined>();
  readonly #lookups: Lookups;
  #link: Link | undefined;
  #client: IpvsClient | undefined;
  #pending: Change[] = [];
  /** That of the line which was carried out last */
  #status = DONE;

  constructor(io: Io) {
    this.#io = io;
    this.#lookups = {
      host: (name) => {
        if (!this.#hosts.has(name)) throw new UnresolvedHost(name);
        return this.#hosts.get(name);
      },
      port: (service, protocol) =>
        io.names.servicePort(service, TRANSPORTS[protocol]),
    };
  }

  close(): void {
    this.#link?.close();
  }

  async commandLine(words: readonly string[]): Promise<number> {
    const command = await this.#parse(words.length === 0 ? ["-L"] : words);
    if (command?.command === "restore") await this.#restore();
    else if (command) await this.#carryOut(command);
    await this.#flush();
    return this.#status;
  }

  /** `-R`: a command line a line. What is there to be read is carried out before more is waited for. */
  async #restore(): Promise<void> {
    await this.#open();
    for await (const lines of this.#io.stdin()) {
      for (const line of lines) {
        const words = ruleWords(line);
        if (words.length === 0) continue;
        const command = await this.#parse(words);
        if (command?.command === "restore") await this.#notACommand();
        if (command) await this.#carryOut(command);
      }
      await this.#flush();
    }
  }

  async #carryOut(command: ClassicCommand): Promise<void> {
    switch (command.command) {
      case "list":
      case "save":
        return this.#show(command);
      case "help":
        this.#io.stdout(helpText());
        return this.#end(DONE);
      case "version":
        this.#io.stdout(VERSION_TEXT);
        return this.#end(DONE);
      case "restore":
        return;
      default:
        this.#pending.push(command);
        if (this.#pending.length >= BATCH_CHANGES) await this.#flush();
    }
  }

  /** Carries out the changes that have been gathered, and says what the kernel refused, in their order. */
  async #flush(): Promise<void> {
    const changes = this.#pending;
    if (changes.length === 0) return;
    this.#pending = [];
    const client = await this.#open();
    for (const failure of await client.apply(changes)) {
      this.#status = failure ? REFUSED : DONE;
      if (failure) this.#complain(sentenceFor(failure));
    }
  }

  async #show(
    command: Extract<ClassicCommand, { command: "list" | "save" }>,
  ): Promise<void> {
    await this.#flush();
    const client = await this.#open();
    try {
      if (command.command === "list") await list(command, client, this.#io);
      else await save(command.numeric, client, this.#io);
      this.#status = DONE;
    } catch (error) {
      if (error instanceof KernelRefusal) this.#complain(sentenceFor(error));
      else if (error instanceof NoConnectionsFile)
        this.#complain(`cannot open file ${error.message}`);
      else throw error;
      return this.#end(LISTING_FAILED);
    }
  }

  /** Reads a line, finding out the hosts that it names. Undefined if it is at fault, but the run goes on. */
  async #parse(words: readonly string[]): Promise<ClassicCommand | undefined> {
    for (;;) {
      try {
        return parse(words, this.#lookups);
      } catch (error) {
        if (error instanceof UnresolvedHost) await this.#resolve(error.host);
        else if (error instanceof UsageFault) return this.#refuse(error);
        else throw error;
      }
    }
  }

  async #resolve(host: string): Promise<void> {
    const address = await this.#io.names.hostAddress(host);
    this.#hosts.set(
      host,
      address === undefined ? undefined : parseIpv4(address),
    );
  }

  async #refuse(fault: UsageFault): Promise<undefined> {
    if (fault.kind === "not-a-command") return this.#notACommand();
    await this.#flush();
    this.#complain(fault.sentence);
    if (fault.kind !== "scanner") return this.#end(USED_WRONG);
    this.#status = REFUSED;
    return undefined;
  }

  async #notACommand(): Promise<never> {
    await this.#flush();
    const program = this.#io.program();
    this.#complain(
      `Try \`${program} -h' or '${program} --help' for more information.`,
    );
    return this.#end(REFUSED);
  }

  /** @throws {End} always, when what was gathered has been carried out */
  async #end(status: number): Promise<never> {
    await this.#flush();
    throw new End(status);
  }

  /** Finds IPVS, having its module loaded if it is not there. */
  async #open(): Promise<IpvsClient> {
    if (this.#client) return this.#client;
    try {
      return await this.#connect();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
    this.#io.loadModule();
    try {
      return await this.#connect();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      this.#complain(
        `Can't initialize ipvs: ${refusalText(undefined, this.#reason(error))}`,
      );
      this.#complain(
        "Are you sure that IP Virtual Server is built in the kernel or as module?",
      );
      throw new End(USED_WRONG);
    }
  }

  async #connect(): Promise<IpvsClient> {
    this.#link ??= await this.#io.openLink();
    return (this.#client = await IpvsClient.open(exchangeOver(this.#link)));
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

  #complain(sentence: string): void {
    this.#io.stderr(`${sentence}\n`);
  }
}

function isUnavailable(error: unknown): error is IpvsUnavailable | SocketFault {
  return error instanceof IpvsUnavailable || error instanceof SocketFault;
}

function sentenceFor(failure: Error): string {
  return failure instanceof KernelRefusal
    ? refusalText(failure.command, failure.errno)
    : failure.message;
}
