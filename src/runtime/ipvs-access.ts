import { IpvsClient } from "../ipvs/client.js";
import { IpvsUnavailable } from "../ipvs/errors.js";
import type { ClassicIo } from "./io.js";
import { SocketFault } from "../netlink/errors.js";
import { exchangeOver, type Exchange } from "../netlink/exchange.js";
import type { Link } from "../netlink/link.js";

/** Opens the socket and the IPVS client when they are first needed. */
export class IpvsAccess {
  readonly #io: Pick<ClassicIo, "openLink" | "loadModule">;
  #link: Link | undefined;
  #exchange: Exchange | undefined;
  #client: IpvsClient | undefined;

  constructor(io: Pick<ClassicIo, "openLink" | "loadModule">) {
    this.#io = io;
  }

  /**
   * Opens the client. Loads the module ip_vs if needed.
   *
   * @throws {IpvsUnavailable} ENOENT: no IPVS. EPERM: no CAP_NET_ADMIN
   * @throws {SocketFault} if the socket cannot be opened
   */
  async open(): Promise<IpvsClient> {
    try {
      return await this.openWithoutLoading();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
    this.#io.loadModule();
    return this.openWithoutLoading();
  }

  /** Opens the client without loading the module, for commands that only read. */
  async openWithoutLoading(): Promise<IpvsClient> {
    if (this.#client) return this.#client;
    this.#link ??= await this.#io.openLink();
    this.#exchange ??= exchangeOver(this.#link);
    return (this.#client = await IpvsClient.open(this.#exchange));
  }

  close(): void {
    this.#link?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Whether an error means that IPVS cannot be reached. */
export function isUnavailable(
  error: unknown,
): error is IpvsUnavailable | SocketFault {
  return error instanceof IpvsUnavailable || error instanceof SocketFault;
}
