import { Counter, Gauge, Registry } from "prom-client";
import type { Family, Sample } from "./families.js";
import type { Snapshot } from "./snapshot.js";

/** The format in which metrics are written. */
export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Writes families as Prometheus reads them. Those without samples are left out. */
export function metricsText(
  families: readonly Family[],
  snapshot: Snapshot,
): Promise<string> {
  const registry = new Registry();
  for (const family of families) {
    const samples = family.samples(snapshot);
    if (samples.length === 0) continue;
    const metric = family.type === "counter" ? CounterOf : GaugeOf;
    registry.registerMetric(new metric(family, samples));
  }
  return registry.metrics();
}

/*
 * Metrics whose values are those of a snapshot. Setting the values one by one, as prom-client's own classes would have
 * it, takes several times as long: each would be found by its labels first. `sharedLabels` is what prom-client itself
 * uses for the series of a histogram: their text is kept as long as the object is.
 */

class CounterOf extends Counter {
  readonly #samples: readonly Sample[];

  constructor({ name, help }: Family, samples: readonly Sample[]) {
    super({ name, help, registers: [] });
    this.#samples = samples;
  }

  override async get() {
    return { ...(await super.get()), values: [...this.#samples] };
  }
}

class GaugeOf extends Gauge {
  readonly #samples: readonly Sample[];

  constructor({ name, help }: Family, samples: readonly Sample[]) {
    super({ name, help, registers: [] });
    this.#samples = samples;
  }

  override async get() {
    return { ...(await super.get()), values: [...this.#samples] };
  }
}
