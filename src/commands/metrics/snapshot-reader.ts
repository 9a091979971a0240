import { IpvsAccess } from "../../runtime/ipvs-access.js";
import type { Io } from "../../runtime/io.js";
import type { Selection } from "./selection.js";
import { readSnapshot, type Snapshot } from "./snapshot.js";

/** Reads the table through one IPVS client. After an error it opens a new client, because the module may have been reloaded. */
export class SnapshotReader {
  readonly #io: Io;
  readonly #selection: Selection;
  #access: IpvsAccess | undefined;

  constructor(io: Io, selection: Selection) {
    this.#io = io;
    this.#selection = selection;
  }

  /** Reads the table. It does not load the module. @throws errors of the client */
  async read(): Promise<Snapshot> {
    this.#access ??= new IpvsAccess(this.#io);
    try {
      const client = await this.#access.openWithoutLoading();
      return await readSnapshot(client, this.#io, this.#selection);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#access?.close();
    this.#access = undefined;
  }
}
