import { existsSync } from "node:fs";
import { join } from "node:path";

/** Where test/provide-prometheus puts the programs. */
const FOLDER = "test/.cache/prometheus";

/** Why tests with Prometheus' programs are skipped. False: they are there. */
export const skipPrometheus =
  !process.env["CI"] && !existsSync(join(FOLDER, "prometheus"))
    ? "test/provide-prometheus could not fetch Prometheus' programs"
    : false;

/** The path of a program. */
export function prometheusProgram(
  name: "prometheus" | "promtool" | "prometheus-node-exporter",
): string {
  return join(FOLDER, name);
}
