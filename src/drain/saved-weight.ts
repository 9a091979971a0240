import { formatSelector } from "../grammar/selector.js";
import type { DrainingServer } from "../ipvs/drain.js";
import { formatEndpoint } from "../ipvs/model.js";
import { textOf } from "../system/files.js";
import { networkNamespace } from "../system/namespaces.js";
import { removeStateFile, writeStateFile } from "../system/state-file.js";

/** Where the weights are saved, and procfs to name the network namespace. */
export interface SavedWeightPlace {
  /** The folder for files that are needed only until reboot: `/run` */
  readonly runFolder: string;
  readonly procFolder: string;
}

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
    { runFolder, procFolder }: SavedWeightPlace,
    { service, server }: DrainingServer,
  ) {
    const name = `${formatSelector(service)}-${formatEndpoint(server.address, server.port)}`;
    // Each network namespace has its own table, but all share /run.
    const space = networkNamespace(procFolder);
    const file = `${space}-${name.replace("/", "-")}`;
    this.path = `${runFolder}/ipvsadm/drained/${file}`;
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
    writeStateFile(this.path, `weight ${weight}\n`);
  }

  /** Deletes the saved weight, if there is one. */
  remove(): void {
    // A leftover file does no harm: it is read only if the server has weight 0 again.
    removeStateFile(this.path);
  }
}
