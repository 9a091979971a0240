import { PAGE } from "#page";
import { Body, type Answer } from "../../http/body.js";
import type { EventHub } from "../../http/event-hub.js";
import type { Respond, Site } from "../../http/server.js";
import { SharedAnswer } from "../../http/shared-answer.js";
import type { Io } from "../../runtime/io.js";
import { examineDirector } from "../doctor/examine-director.js";
import { reportJson } from "../doctor/report.js";
import { familiesOf } from "../metrics/metric-families.js";
import { METRICS_PATH, metricsAnswer } from "../metrics/metrics-page.js";
import { metricsText } from "../metrics/prometheus-text.js";
import type { Series } from "../metrics/series.js";
import type { Snapshot } from "../metrics/snapshot.js";
import type { FleetSite } from "./fleet/fleet-site.js";
import {
  documentAnswer,
  historyAnswer,
  jsonBody,
  tableBody,
} from "./json-answers.js";
import type { LiveTable } from "./live-table.js";
import { TopConnections } from "./top-connections.js";

/** How long a report of doctor is reused: it asks the network and runs programs. */
const REPORT_MILLISECONDS = 60_000;

/** What `serve` serves. */
export function siteOf(
  io: Io,
  table: LiveTable,
  events: EventHub,
  series: Series,
  fleet?: FleetSite,
): Site {
  const families = familiesOf(series);
  const ofTable = oncePerReading(table, () =>
    metricsText(families, table.snapshot),
  );
  const metrics =
    fleet && series !== "node"
      ? async () => new Body((await ofTable()) + (await fleet.metrics()))
      : oncePerReading(table, async () => new Body(await ofTable()));
  const document = oncePerReading(table, () => tableBody(table));
  const top = new TopConnections(io);
  const report = new SharedAnswer(
    async () => jsonBody(reportJson(await examine(io))),
    REPORT_MILLISECONDS,
    io.clock,
  );
  return {
    pages: {
      "/": page(),
      [METRICS_PATH]: () => metricsAnswer(metrics),
      "/api/v1/table": () => documentAnswer(document),
      "/api/v1/connections/top": (query) => top.answer(query),
      "/api/v1/doctor": () => documentAnswer(() => report.get()),
      ...(fleet && { "/api/v1/fleet": () => fleet.answer() }),
      "/api/v1/history": (query) => historyAnswer(table, query, Date.now()),
    },
    events: { "/api/v1/events": events },
    hint: "the page is at /, the metrics are at /metrics",
  };
}

function examine(io: Io) {
  return examineDirector(
    io,
    (services) => services,
    () => true,
    false,
  );
}

/** Makes something once for each reading. It fails while the table cannot be read. */
function oncePerReading<T>(
  table: LiveTable,
  make: () => Promise<T>,
): () => Promise<T> {
  let last: { snapshot: Snapshot; made: Promise<T> } | undefined;
  return async () => {
    const { snapshot } = table;
    if (last?.snapshot !== snapshot) last = { snapshot, made: make() };
    return last.made;
  };
}

/** The page may run its own script and style, and ask this server. Nothing else. */
function page(): Respond {
  const { html, scriptHash, styleHash } = PAGE;
  const policy = [
    "default-src 'none'",
    `script-src ${scriptHash}`,
    `style-src ${styleHash}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  const answer: Answer = {
    status: 200,
    contentType: "text/html; charset=utf-8",
    body: new Body(html),
    headers: { "content-security-policy": policy.join("; ") },
  };
  return () => answer;
}
