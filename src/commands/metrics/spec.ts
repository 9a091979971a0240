import { PROTOCOL_FILTER } from "../../cli/common-options.js";
import { ACCESS_OPTIONS } from "../../http/access-specs.js";
import type { SubcommandSpec } from "../../cli/spec.js";
import { SERIES } from "./series.js";

export const metricsSpec: SubcommandSpec = {
  name: "metrics",
  summary: "export metrics for Prometheus, as a file or over HTTP",
  description: [
    "Prints the table in Prometheus' text format. --output writes it to a file, for the textfile collector of node_exporter. The file is replaced as a whole. --listen serves /metrics over HTTP until a signal arrives.",
    "Metrics that node_exporter's ipvs collector also has keep its names and labels (node_ipvs_*), so existing dashboards work. Unlike the collector, it reports SCTP services separately. All other metrics are called ipvs_*: counters of each service and real server, persistence templates, thresholds, states.",
    "If node_exporter's ipvs collector is active, use --series more, or turn the collector off with --no-collector.ipvs. Otherwise node_exporter sees some metrics twice: it keeps one of each and logs an error at every scrape.",
    "For large tables, --service, --protocol and --services-only leave out series. With --services-only, real servers have no series, but each service still has the number of its servers and their weight. Services that are left out are not counted in ipvs_services and ipvs_backends. The totals of the kernel (node_ipvs_*_total) always include everything. A service of --service that does not exist is no error: it has no series until it is added.",
    "With --listen, the default address is 127.0.0.1, because everyone who can reach the port may read the table. An answer is reused for one second, so many scrapes at once read the kernel only once. If the table cannot be read, the HTTP status is 503 with the reason, and a file contains only 'ipvs_up 0'. Values are floating-point numbers, as always in Prometheus: exact up to 2^53.",
    "'ipvsadm serve' serves the same metrics, a statistics page and JSON.",
  ],
  positionals: [],
  options: [
    {
      name: "output",
      alias: "o",
      type: "text",
      value: "FILE",
      description: "write to this file instead of stdout",
      completes: "file",
    },
    {
      name: "listen",
      type: "text",
      value: "ADDRESS",
      description:
        "serve HTTP here: 9101, 192.0.2.1:9101, [::]:9101, or a Unix socket: unix:/run/ipvsadm.sock",
    },
    {
      name: "series",
      type: "text",
      value: "WHICH",
      choices: SERIES,
      default: "all",
      description:
        "node: the metrics of node_exporter's ipvs collector; more: all others",
    },
    {
      name: "service",
      type: "list",
      value: "SERVICE",
      description: "only these services: 192.0.2.1:80, tcp/192.0.2.1, fwm/7",
      completes: "service",
    },
    {
      ...PROTOCOL_FILTER,
      description: "only services with these protocols; fwm is firewall marks",
    },
    {
      name: "services-only",
      type: "flag",
      description: "no series of single real servers",
    },
    ...ACCESS_OPTIONS,
  ],
  examples: [
    {
      command: "ipvsadm metrics --listen 9101",
      shows: "an exporter for a Prometheus server on this machine",
    },
    {
      command: "ipvsadm metrics --series more -o /DIR/ipvs.prom",
      shows: "a file for node_exporter's textfile collector, which reads DIR",
    },
    {
      command: "ipvsadm metrics --listen 9101 --services-only",
      shows: "an exporter for a table with very many real servers",
    },
  ],
  printsData: true,
};
