import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatSelector } from "../../grammar/selector.js";
import type { DrainingServer } from "../../ipvs/drain.js";
import { formatEndpoint } from "../../ipvs/model.js";
import type { Io } from "../../runtime/io.js";
import { OutputFailed, writeAtomically } from "../../system/atomic-file.js";
import { textOf } from "../../system/files.js";
import { networkNamespace } from "../../system/namespaces.js";

/** The greatest that the kernel takes. */
const GREATEST_WEIGHT = 0x7fffffff;

/** What is known of the weight that a server had before it was drained. */
export type Remembered =
  | { readonly kind: "weight"; readonly weight: number }
  | { readonly kind: "nothing" }
  /** There is a file, and nothing that it may say */
  | { readonly kind: "garbled"; readonly path: string };

/** The weight that one real server had before it was drained: a file of its own in /run, so that it needs no lock. */
export class WeightMemory {
  readonly path: string;

  constructor(
    io: Pick<Io, "runFolder" | "procFolder">,
    { service, server }: DrainingServer,
  ) {
    const name = `${formatSelector(service)}-${formatEndpoint(server.address, server.port)}`;
    // Tables belong to network namespaces, which share /run.
    const space = networkNamespace(io.procFolder);
    const file = `${space}-${name.replace("/", "-")}`;
    this.path = join(io.runFolder, "ipvsadm/drained", file);
  }

  recall(): Remembered {
    const { path } = this;
    const text = textOf(path);
    if (text === undefined) return { kind: "nothing" };
    const [, digits] = /^weight ([0-9]{1,10})\n$/.exec(text) ?? [];
    const weight = Number(digits);
    return weight >= 1 && weight <= GREATEST_WEIGHT
      ? { kind: "weight", weight }
      : { kind: "garbled", path };
  }

  /** @throws {OutputFailed} */
  keep(weight: number): void {
    const folder = dirname(this.path);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o755 });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new OutputFailed(folder, code ?? "unknown", { cause: error });
    }
    writeAtomically(this.path, `weight ${weight}\n`);
  }

  /** What was remembered is of no use any more. */
  forget(): void {
    try {
      rmSync(this.path, { force: true });
    } catch {
      // A memory that stays is asked for only when the server is at weight 0 again, and says what it was before.
    }
  }
}
