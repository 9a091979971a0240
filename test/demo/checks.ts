import { type Answer, isAnswer, type Reply } from "../lab/http.js";
import type { Rows } from "../lab/listings.js";
import type { RealServer, Service } from "./places.js";

/** A promise of the demo, and the result. */
export interface Check {
  readonly claim: string;
  readonly holds: boolean;
  readonly found: string;
}

/** A client's requests to a service. */
export interface Visit {
  readonly service: Service;
  /** The number of requests, a multiple of the scheduler's round. */
  readonly requests: number;
  readonly replies: readonly Reply[];
  /** The bytes that the director sent into the client's network meanwhile. */
  readonly bytesSent: number;
}

/**
 * What the client observed: whether all requests got a reply, from which server and by which path.
 */
export function checkReplies(visit: Visit): Check[] {
  const { service, requests, replies } = visit;
  const answers = replies.filter(isAnswer);
  return [
    same(
      "a real server replied to every request",
      `${requests} × 200 OK`,
      tally(replies.map((r) => (isAnswer(r) ? "200 OK" : r.failure))),
    ),
    same(
      "the requests are distributed as the scheduler promises",
      each(service, (server) => part(server, requests, service)),
      each(service, ({ host }) => by(host, answers)),
    ),
    checkTurns(visit, answers),
    checkArrivals(service, answers),
    checkWayBack(visit, answers),
  ];
}

/** Checks not only the sums, but every round of the scheduler. */
function checkTurns(visit: Visit, answers: readonly Answer[]): Check {
  const { service, requests } = visit;
  const length = turnOf(service);
  const shares = each(service, ({ share }) => share);
  const turns = Array.from({ length: requests / length }, (_, turn) =>
    answers.slice(turn * length, (turn + 1) * length),
  );
  const fair = turns.filter(
    (turn) => each(service, ({ host }) => by(host, turn)) === shares,
  );
  return same(
    `and so is each round of ${length} requests: ${shares}`,
    `${turns.length} of ${turns.length} rounds`,
    `${fair.length} of ${turns.length} rounds`,
  );
}

function checkArrivals(service: Service, answers: readonly Answer[]): Check {
  return same(
    "requests reach the real servers with the right source and destination",
    distinct(
      service.servers.map(
        ({ host, arrivesAt }) => `${service.client} -> ${arrivesAt} ${host}`,
      ),
    ),
    distinct(
      answers.map(
        ({ server, client, addressedAs }) =>
          `${client} -> ${addressedAs} ${server}`,
      ),
    ),
  );
}

function checkWayBack(visit: Visit, answers: readonly Answer[]): Check {
  const { answersPassDirector } = visit.service;
  const bytesRead = sum(answers.map(({ bytes }) => bytes));
  return {
    claim: answersPassDirector
      ? "the replies passed through the director"
      : "the replies bypassed the director",
    holds: visit.bytesSent > bytesRead === answersPassDirector,
    found: `the client read ${bytesRead} bytes, the director sent ${visit.bytesSent} bytes to its network`,
  };
}

/** Whether `-Ln --stats --exact` agrees with the requests. */
export function checkStatistics(
  { service, requests }: Visit,
  rows: Rows,
): Check[] {
  const counters = (name: string) => (rows.get(name) ?? []).map(Number);
  const total = counters(service.address);
  const servers = service.servers.map((server) =>
    counters(rowName(service, server)),
  );
  const sums = total.map((_, column) =>
    sum(servers.map((row) => row[column] ?? 0)),
  );
  const [connections = 0, , outPackets = 0] = total;
  return [
    same(
      "--stats counts as many connections as there were requests",
      `${requests}: ${each(service, (server) => part(server, requests, service))}`,
      `${connections}: ${each(service, (server) => counters(rowName(service, server))[0] ?? 0)}`,
    ),
    same(
      "the --stats of the real servers add up to those of the service",
      total.join(" "),
      sums.join(" "),
    ),
    {
      claim: service.answersPassDirector
        ? "--stats counts the packets of the replies"
        : "--stats counts no packets of replies",
      holds: outPackets > 0 === service.answersPassDirector,
      found: `OutPkts ${outPackets}`,
    },
  ];
}

/** Whether the active and inactive connections in `-Ln` are those that were made. */
export function checkCounts({ service, requests }: Visit, rows: Rows): Check {
  return same(
    "-Ln shows these connections",
    each(service, (server) => part(server, requests, service)),
    each(service, (server) => {
      const [, , active, inactive] = rows.get(rowName(service, server)) ?? [];
      return Number(active) + Number(inactive);
    }),
  );
}

/** Whether `-Lnc` has an entry for each connection that was made. */
export function checkEntries(
  { service, requests }: Visit,
  entries: ReadonlyMap<string, number>,
): Check {
  return same(
    "-Lnc has an entry for each",
    each(service, (server) => part(server, requests, service)),
    each(service, (server) => entries.get(rowName(service, server)) ?? 0),
  );
}

function same(claim: string, promised: string, found: string): Check {
  const holds = promised === found;
  return {
    claim,
    holds,
    found: holds ? found : `${found || "nothing"} instead of ${promised}`,
  };
}

/** `real1 2, real2 1` */
function each(
  service: Service,
  number: (server: RealServer) => number,
): string {
  return service.servers
    .map((server) => `${server.host} ${number(server)}`)
    .join(", ");
}

/** The number of requests that a real server gets from the scheduler. */
function part(server: RealServer, requests: number, service: Service): number {
  return (requests * server.share) / turnOf(service);
}

function turnOf(service: Service): number {
  return sum(service.servers.map(({ share }) => share));
}

function by(host: string, answers: readonly Answer[]): number {
  return answers.filter(({ server }) => server === host).length;
}

function rowName(service: Service, server: RealServer): string {
  return `${service.address} ${server.address}`;
}

function distinct(words: readonly string[]): string {
  return [...new Set(words)].sort().join(", ");
}

/** `290 × 200 OK, 10 × ECONNREFUSED` */
function tally(words: readonly string[]): string {
  return [...new Set(words)]
    .map((word) => `${words.filter((w) => w === word).length} × ${word}`)
    .join(", ");
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
