import { readdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { ServerKey, ServiceKey } from "../../../ipvs/model.js";
import { INET } from "../../../ipvs/address.js";
import type { Io } from "../../../runtime/io.js";
import { SavedWeight } from "../../../drain/saved-weight.js";

/** How long a listing of the folder is used: one comparison of the table asks for every server. */
const FRESH_MILLISECONDS = 500;

/** The real servers that 'ipvsadm drain' drains on this machine: their weights are saved in files. */
export class LocalDrains {
  readonly #io: Pick<Io, "runFolder" | "procFolder" | "clock">;
  #files: ReadonlySet<string> = new Set();
  #readAt = -Infinity;

  constructor(io: Pick<Io, "runFolder" | "procFolder" | "clock">) {
    this.#io = io;
  }

  has(service: ServiceKey, server: ServerKey): boolean {
    const now = this.#io.clock.now();
    if (now - this.#readAt > FRESH_MILLISECONDS) {
      this.#files = this.#list();
      this.#readAt = now;
    }
    if (this.#files.size === 0) return false;
    const saved = new SavedWeight(this.#io, { service, server });
    return this.#files.has(basename(saved.path));
  }

  #list(): ReadonlySet<string> {
    try {
      return new Set(readdirSync(dirname(anyPath(this.#io))));
    } catch {
      return new Set(); // no server was drained since the boot
    }
  }
}

/** The path of some saved weight. All are in the same folder. */
function anyPath(io: Pick<Io, "runFolder" | "procFolder">): string {
  const service = { family: INET, firewallMark: 1 } as const;
  const server = { address: Uint8Array.of(0, 0, 0, 0), port: 0 };
  return new SavedWeight(io, { service, server }).path;
}
