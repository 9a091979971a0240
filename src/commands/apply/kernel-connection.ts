import { IpvsAccess } from "../../runtime/ipvs-access.js";
import type { IpvsClient } from "../../ipvs/client.js";
import type { Io } from "../../runtime/io.js";

/** The connection to the kernel while a table is changed. A failed socket can be replaced by a new one. */
export class KernelConnection implements Disposable {
  readonly #io: Io;
  #client: IpvsClient;
  #access: IpvsAccess | undefined;

  /** @param client the first client; the caller closes it */
  constructor(io: Io, client: IpvsClient) {
    this.#io = io;
    this.#client = client;
  }

  /** The current client. */
  get client(): IpvsClient {
    return this.#client;
  }

  /**
   * Opens a new client. If that fails, the current client stays.
   *
   * @throws {IpvsUnavailable}
   * @throws {SocketFault}
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
