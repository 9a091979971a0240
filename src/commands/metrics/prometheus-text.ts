import { Counter, Gauge, Registry } from "prom-client";
import type { Family, Sample } from "./metric-families.js";
import type { Snapshot } from "./snapshot.js";

/** The content type of the metrics. */
export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Writes families in Prometheus' text format. Families without samples are omitted. */
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
 * Metrics whose values come from a snapshot. Setting each value through prom-client's own methods is several times slower,
 * because it looks the labels up. prom-client itself uses `sharedLabels` for histograms: it caches the text of the object.
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
