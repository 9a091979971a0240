import { IpvsClient } from "../ipvs/client.js";
import { IpvsUnavailable } from "../ipvs/errors.js";
import type { ClassicIo } from "./io.js";
import { SocketFault } from "../netlink/errors.js";
import { exchangeOver, type Exchange } from "../netlink/exchange.js";
import type { Link } from "../netlink/link.js";

/** The way to IPVS: a socket that is opened when it is first needed, and the client over it. */
export class IpvsAccess {
  readonly #io: Pick<ClassicIo, "openLink" | "loadModule">;
  #link: Link | undefined;
  #exchange: Exchange | undefined;
  #client: IpvsClient | undefined;

  constructor(io: Pick<ClassicIo, "openLink" | "loadModule">) {
    this.#io = io;
  }

  /**
   * The client, having the module ip_vs loaded if IPVS is not there.
   *
   * @throws {IpvsUnavailable} ENOENT without IPVS, EPERM without CAP_NET_ADMIN
   * @throws {SocketFault} when there is no socket to be had
   */
  async open(): Promise<IpvsClient> {
    try {
      return await this.openAsItIs();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
    this.#io.loadModule();
    return this.openAsItIs();
  }

  /** The same, for those who only look: no module is loaded. */
  async openAsItIs(): Promise<IpvsClient> {
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

/** Whether an error is that IPVS cannot be reached. */
export function isUnavailable(
  error: unknown,
): error is IpvsUnavailable | SocketFault {
  return error instanceof IpvsUnavailable || error instanceof SocketFault;
}
