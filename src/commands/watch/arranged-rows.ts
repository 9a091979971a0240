import { arrange, type Arrangement, type Row } from "./rows.js";
import type { Sample } from "./sampler.js";

/** The rows of the table. They are only filtered and sorted again if something changed. */
export class ArrangedRows {
  #rows: readonly Row[] = [];
  /** What the rows were made from */
  #known: (Arrangement & { readonly sample: Sample }) | undefined;

  of(
    sample: Sample,
    { sort, reversed, servers, filter }: Arrangement,
  ): readonly Row[] {
    const known = this.#known;
    const same =
      known?.sample === sample &&
      known.sort === sort &&
      known.reversed === reversed &&
      known.servers === servers &&
      known.filter === filter;
    if (!same) {
      const arrangement = { sort, reversed, servers, filter };
      this.#rows = arrange(sample, arrangement);
      this.#known = { ...arrangement, sample };
    }
    return this.#rows;
  }
}
