import { Body, lineAnswer, type Answer } from "../../http/body.js";
import { explain } from "../../cli/errors.js";
import { CONTENT_TYPE } from "./prometheus-text.js";

/** Where the metrics are. */
export const METRICS_PATH = "/metrics";

/** Answers with the metrics, or with 503 and the reason. */
export async function metricsAnswer(
  metrics: () => Promise<Body>,
): Promise<Answer> {
  try {
    return { status: 200, contentType: CONTENT_TYPE, body: await metrics() };
  } catch (error) {
    return lineAnswer(503, faultLine(error));
  }
}

/** An error on one line. */
export function faultLine(error: unknown): string {
  const { fault, advice } = explain(error) ?? {
    fault: String(error),
    advice: undefined,
  };
  return advice === undefined ? fault : `${fault}: ${advice}`;
}
