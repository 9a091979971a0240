import type { SubcommandSpec } from "../../cli/spec.js";
import { SERIES } from "./series.js";

export const metricsSpec: SubcommandSpec = {
  name: "metrics",
  summary: "the table for Prometheus: a file, or at a port",
  description: [
    "Prints the table in Prometheus' text format. --output writes a file, whole or not at all, for the textfile folder of node_exporter; --listen answers Prometheus itself at /metrics until it is ended by a signal.",
    "What node_exporter's own ipvs collector has, has its names and labels here (node_ipvs_…), so that dashboards keep working; SCTP, which it mixes up, is told apart. Beside that collector use --series more, or turn it off with --no-collector.ipvs: of what comes twice node_exporter takes one, and logs an error at every scrape. What it lacks is called ipvs_…: counters of each service and each real server, persistent connections, thresholds, states.",
    "An address without a host is on 127.0.0.1: whoever can reach it may read the table. However many ask at once, the kernel is read once, and an answer serves for a second, as the kernel's counters do for two. Where IPVS cannot be read, the answer is status 503 and why, and the file says ipvs_up 0. Values are floating-point numbers, as in Prometheus: exact up to 2^53.",
  ],
  positionals: [],
  options: [
    {
      name: "output",
      alias: "o",
      type: "text",
      value: "FILE",
      description: "write this file instead of printing",
      completes: "file",
    },
    {
      name: "listen",
      type: "text",
      value: "[ADDRESS:]PORT",
      description: "serve HTTP there: 9101, :9101, 192.0.2.1:9101, [::]:9101",
    },
    {
      name: "series",
      type: "text",
      value: "WHICH",
      choices: SERIES,
      default: "all",
      description:
        "node: those of node_exporter's collector; more: those that it lacks",
    },
  ],
  examples: [
    {
      command: "ipvsadm metrics --listen 9101",
      shows: "an exporter for a Prometheus on this machine",
    },
    {
      command: "ipvsadm metrics --series more -o /DIR/ipvs.prom",
      shows: "for the textfile folder DIR of a node_exporter",
    },
  ],
};
