import { readFileSync } from "node:fs";

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly gridPos: Place;
  readonly targets: readonly {
    readonly expr: string;
    readonly refId: string;
  }[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

export const DASHBOARD_FILE = "packaging/grafana/ipvs.json";
export const ALERTS_FILE = "packaging/prometheus/ipvs-alerts.yml";

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(DASHBOARD_FILE, "utf8")) as Dashboard;
}

/** A query as Grafana sends it: with the values of the variables. */
export function expanded(expr: string, rateInterval: string): string {
  return expr
    .replaceAll("$__rate_interval", rateInterval)
    .replaceAll(/\$(instance|service)\b/g, ".*");
}

/** The metrics in an expression. */
export function metricsIn(expr: string): string[] {
  return expr.match(/\b(?:node_)?ipvs_[a-z_]+\b/g) ?? [];
}
