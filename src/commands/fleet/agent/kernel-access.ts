import type { Kernel } from "../../../fleet/agent/apply-table.js";
import type { IpvsClient } from "../../../ipvs/client.js";
import type { Io } from "../../../runtime/io.js";
import { IpvsAccess } from "../../../runtime/ipvs-access.js";
import { takeLock, type Lock } from "../../../system/lock.js";

/** The kernel of this machine. The socket is opened again after an error. */
export class KernelAccess implements Kernel, Disposable {
  readonly #io: Io;
  readonly #dryRun: boolean;
  #access: IpvsAccess | undefined;

  /** @param dryRun whether it only reads: then it does not load the module */
  constructor(io: Io, dryRun: boolean) {
    this.#io = io;
    this.#dryRun = dryRun;
  }

  open(): Promise<IpvsClient> {
    this.#access ??= new IpvsAccess(this.#io);
    return this.#dryRun
      ? this.#access.openWithoutLoading()
      : this.#access.open();
  }

  reset(): void {
    this.#access?.close();
    this.#access = undefined;
  }

  lock(): Lock {
    return takeLock(this.#io, "fleet agent");
  }

  [Symbol.dispose](): void {
    this.reset();
  }
}
