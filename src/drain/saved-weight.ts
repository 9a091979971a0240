import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatSelector } from "../../grammar/selector.js";
import type { DrainingServer } from "../../ipvs/drain.js";
import { formatEndpoint } from "../../ipvs/model.js";
import type { Io } from "../../runtime/io.js";
import { OutputFailed, writeAtomically } from "../../system/atomic-file.js";
import { textOf } from "../../system/files.js";
import { networkNamespace } from "../../system/namespaces.js";

const MAXIMUM_WEIGHT = 0x7fffffff;

/** The result of reading a saved weight. */
export type SavedWeightReading =
  | { readonly kind: "weight"; readonly weight: number }
  /** There is no file */
  | { readonly kind: "none" }
  /** The file does not contain a weight */
  | { readonly kind: "invalid"; readonly path: string };

/** The weight of a real server before it was drained, in a file in /run. */
export class SavedWeight {
  readonly path: string;

  constructor(
    io: Pick<Io, "runFolder" | "procFolder">,
    { service, server }: DrainingServer,
  ) {
    const name = `${formatSelector(service)}-${formatEndpoint(server.address, server.port)}`;
    // Each network namespace has its own table, but all share /run.
    const space = networkNamespace(io.procFolder);
    const file = `${space}-${name.replace("/", "-")}`;
    this.path = join(io.runFolder, "ipvsadm/drained", file);
  }

  read(): SavedWeightReading {
    const { path } = this;
    const text = textOf(path);
    if (text === undefined) return { kind: "none" };
    const [, digits] = /^weight ([0-9]{1,10})\n$/.exec(text) ?? [];
    const weight = Number(digits);
    return weight >= 1 && weight <= MAXIMUM_WEIGHT
      ? { kind: "weight", weight }
      : { kind: "invalid", path };
  }

  /** @throws {OutputFailed} */
  save(weight: number): void {
    const folder = dirname(this.path);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o755 });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new OutputFailed(folder, code ?? "unknown", { cause: error });
    }
    writeAtomically(this.path, `weight ${weight}\n`);
  }

  /** Deletes the saved weight, if there is one. */
  remove(): void {
    try {
      rmSync(this.path, { force: true });
    } catch {
      // A leftover file does no harm: it is read only if the server has weight 0 again.
    }
  }
}
