import { IpvsAccess } from "../../runtime/ipvs-access.js";
import type { IpvsClient } from "../../ipvs/client.js";
import type { Io } from "../../runtime/io.js";

/** The way to the kernel while a table is changed: when a socket has failed, another takes its place. */
export class Connection implements Disposable {
  readonly #io: Io;
  #client: IpvsClient;
  #access: IpvsAccess | undefined;

  /** @param client the first one, which its owner closes */
  constructor(io: Io, client: IpvsClient) {
    this.#io = io;
    this.#client = client;
  }

  /** The client over the socket that was opened last. */
  get client(): IpvsClient {
    return this.#client;
  }

  /**
   * Gives a client over a new socket.
   *
   * @throws {IpvsUnavailable}
   * @throws {SocketFault} and the client stays what it was
   */
  async reopen(): Promise<IpvsClient> {
    this.#access?.close();
    this.#access = new IpvsAccess(this.#io);
    return (this.#client = await this.#access.open());
  }

  [Symbol.dispose](): void {
    this.#access?.close();
  }
}
