import { formatSelector } from "../grammar/selector.js";
import { formatEndpoint } from "../ipvs/model.js";
import type { ServerInTable } from "./server-in-table.js";

/**
 * The weight before a real server was drained is not known. Nothing was changed.
 *
 * @since 0.2.0
 */
export class NoSavedWeight extends Error {
  override readonly name = "NoSavedWeight";
  /** What to do next, as a phrase without a period */
  readonly advice: string = "give a weight";

  constructor(
    /** The drained servers without a saved weight */
    readonly servers: readonly ServerInTable[],
  ) {
    const names = servers.map(
      ({ service, server: { key } }) =>
        `${formatEndpoint(key.address, key.port)} of ${formatSelector(service.key)}`,
    );
    super(`No saved weight for ${names.join(", ")}`);
  }
}
