import type { IpvsClient } from "../ipvs/client.js";
import { checkCall, object, oneOf, optional } from "./shape.js";
import { CLIENT } from "./shapes.js";

/**
 * Which metrics to read.
 *
 * @since 0.2.0
 */
export interface MetricsOptions {
  /**
   * `node`: those of node_exporter's ipvs collector. `more`: those that it lacks. `all`: both; the
   * default
   */
  readonly series?: "all" | "node" | "more" | undefined;
}

/**
 * A value of a metric.
 *
 * @since 0.2.0
 */
export interface MetricSample {
  /** The names and values of its labels, such as `service: "tcp/192.0.2.1:80"` */
  readonly labels: Readonly<Record<string, string>>;
  /** Counters above 2^53 are rounded */
  readonly value: number;
}

/**
 * A metric: all values with one name.
 *
 * @since 0.2.0
 */
export interface Metric {
  /** The name in Prometheus, with its unit: `ipvs_service_incoming_bytes_total` */
  readonly name: string;
  /** What it counts */
  readonly help: string;
  /** Counters only grow, until the service or server is removed or zeroed */
  readonly type: "counter" | "gauge";
  /** One for each service, server or other object */
  readonly samples: readonly MetricSample[];
}

const OPTIONS = object("options", {
  series: optional(oneOf("all", "node", "more")),
});

/**
 * Reads the metrics of `ipvsadm metrics` as data. Metrics without a value are left out.
 *
 * @throws {KernelRefusal} if the table cannot be read
 * @throws {InvalidArgument} if an argument is wrong
 * @since 0.2.0
 */
export async function readMetrics(
  ipvs: IpvsClient,
  options: MetricsOptions = {},
): Promise<Metric[]> {
  checkCall(
    "readMetrics",
    ["ipvs", ipvs, CLIENT],
    ["options", options, OPTIONS],
  );
  const { families, snapshot } = await read(ipvs, options);
  return families.flatMap(({ name, help, type, samples }) => {
    const values = samples(snapshot);
    return values.length === 0
      ? []
      : [
          {
            name,
            help,
            type,
            samples: values.map(({ sharedLabels, labels, value }) => ({
              labels: { ...sharedLabels, ...labels },
              value,
            })),
          },
        ];
  });
}

/**
 * Reads the metrics of `ipvsadm metrics` in Prometheus' text format, version 0.0.4.
 *
 * @throws {KernelRefusal} if the table cannot be read
 * @throws {InvalidArgument} if an argument is wrong
 * @since 0.2.0
 */
export async function metricsText(
  ipvs: IpvsClient,
  options: MetricsOptions = {},
): Promise<string> {
  checkCall(
    "metricsText",
    ["ipvs", ipvs, CLIENT],
    ["options", options, OPTIONS],
  );
  const { families, snapshot } = await read(ipvs, options);
  const prometheus = await import("../commands/metrics/prometheus-text.js");
  return prometheus.metricsText(families, snapshot);
}

async function read(ipvs: IpvsClient, { series = "all" }: MetricsOptions) {
  const { familiesOf } = await import("../commands/metrics/metric-families.js");
  const { readSnapshot } = await import("../commands/metrics/snapshot.js");
  const { systemClock } = await import("../system/clock.js");
  const io = { procFolder: "/proc", clock: systemClock };
  return {
    families: familiesOf(series),
    snapshot: await readSnapshot(ipvs, io),
  };
}
