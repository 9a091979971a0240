import { Body, type Answer } from "../../http/body.js";
import { jsonText, type Json } from "../../document/json-text.js";
import { totalsOf } from "../../ipvs/totals.js";
import { faultLine } from "../metrics/metrics-page.js";
import { jsonChunks } from "../list/json-yaml.js";
import { sortListing } from "../list/sort.js";
import { SLOT_SECONDS } from "../../page/events.js";
import type { LiveTable } from "./live-table.js";
import { slotAt, type RateHistory } from "./rate-history.js";
import { nextEventLoopTurn } from "../../system/event-loop.js";

const JSON_TYPE = "application/json";

export function jsonBody(value: Json): Body {
  return new Body(`${jsonText(value)}\n`);
}

export function jsonAnswer(body: Body): Answer {
  return { status: 200, contentType: JSON_TYPE, body };
}

/** An error as a document. */
export function errorAnswer(
  status: Exclude<Answer["status"], 200>,
  error: string,
): Answer {
  const body = jsonBody({ schema: "ipvsadm/error/1", error });
  return { status, contentType: JSON_TYPE, body };
}

/** Answers with a document, or with 503 and the reason. */
export async function documentAnswer(
  make: () => Promise<Body>,
): Promise<Answer> {
  try {
    return jsonAnswer(await make());
  } catch (error) {
    return errorAnswer(503, faultLine(error));
  }
}

/** How many services are written before other requests are handled. */
const CHUNK_SERVICES = 64;

/** The document of `list -o json`. */
export async function tableBody(table: LiveTable): Promise<Body> {
  const { services } = table;
  const all = services.map((service) => ({
    service,
    servers: service.servers,
  }));
  const listing = {
    services: sortListing(all, "name", false),
    totals: totalsOf(services),
    partial: false,
  };
  const chunks: string[] = [];
  for (const chunk of jsonChunks(listing, undefined)) {
    chunks.push(chunk);
    if (chunks.length % CHUNK_SERVICES === 0) await nextEventLoopTurn();
  }
  return new Body(chunks.join(""));
}

/** How many services and machines may be asked for at once. */
const MOST_HISTORIES = 100;
/** How many rows an answer may have. Each has some hundred numbers. */
const MOST_ROWS = 5000;

/**
 * The rates of the last quarter of an hour: of services (`service=`), of their servers too (`servers=1`), and of all servers with
 * an address (`machine=`). What is not in the table is left out.
 */
export function historyAnswer(
  { tracker }: LiveTable,
  query: URLSearchParams,
  now: number,
): Answer {
  const services = new Set(query.getAll("service"));
  const machines = new Set(query.getAll("machine"));
  if (services.size + machines.size > MOST_HISTORIES)
    return errorAnswer(400, `at most ${MOST_HISTORIES} histories at once`);
  const slot = slotAt(now);
  const rows: Json[] = [];
  for (const service of services) {
    const found = tracker.historyOf(service);
    if (!found) continue;
    rows.push({ service, ...valuesOf([found.history], slot) });
    if (query.get("servers") !== "1") continue;
    if (rows.length + found.servers.size > MOST_ROWS)
      return errorAnswer(400, `more than ${MOST_ROWS} servers at once`);
    for (const [server, history] of found.servers)
      rows.push({ service, server, ...valuesOf([history], slot) });
  }
  for (const machine of machines) {
    const found = tracker.historiesAt(machine);
    if (found.length > 0) rows.push({ machine, ...valuesOf(found, slot) });
  }
  const time = new Date(slot * SLOT_SECONDS * 1000).toISOString();
  const document = {
    schema: "ipvsadm/history/1",
    time,
    slotSeconds: SLOT_SECONDS,
    rows,
  };
  // There are no bigints in it, and hundreds of thousands of numbers.
  return jsonAnswer(new Body(`${JSON.stringify(document)}\n`));
}

function valuesOf(histories: readonly RateHistory[], slot: number) {
  const [connections, inBytes, outBytes] = [0, 1, 2].map((kind) =>
    sums(histories.map((history) => history.values(kind, slot))),
  );
  return {
    connectionsPerSecond: connections ?? [],
    inBytesPerSecond: inBytes ?? [],
    outBytesPerSecond: outBytes ?? [],
  };
}

/** Adds up lists of values. A value is null if it is unknown in all lists. */
function sums(lists: readonly (readonly number[])[]): (number | null)[] {
  const [first = [], ...others] = lists;
  return first.map((value, i) => {
    let sum = value;
    for (const list of others) {
      const other = list[i] ?? NaN;
      if (!Number.isNaN(other)) sum = Number.isNaN(sum) ? other : sum + other;
    }
    return Number.isNaN(sum) ? null : Math.round(sum * 100) / 100;
  });
}
