import { Counter, Gauge, Registry } from "prom-client";
import type { Family, Sample } from "./metric-families.js";

/** The content type of the metrics. */
export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE;

/** Writes families in Prometheus' text format. Families without samples are omitted. */
export function metricsText<Source>(
  families: readonly Family<Source>[],
  source: Source,
): Promise<string> {
  const registry = new Registry();
  for (const family of families) {
    const samples = family.samples(source);
    if (samples.length === 0) continue;
    registry.registerMetric(metricOf(family, samples));
  }
  return registry.metrics();
}

/**
 * Makes a metric whose values are given. Setting each value through prom-client's own methods is several times slower, because
 * it looks the labels up. prom-client itself uses `sharedLabels` for histograms: it caches the text of the object.
 */
function metricOf(
  { name, help, type }: Pick<Family, "name" | "help" | "type">,
  samples: readonly Sample[],
): Counter | Gauge {
  const metric = new { counter: Counter, gauge: Gauge }[type]({
    name,
    help,
    registers: [],
  });
  const get = metric.get.bind(metric);
  metric.get = async () => ({
    ...(await get()),
    values: [...samples],
  });
  return metric;
}
