import { formatAddress } from "../../ipvs/address.js";
import { parseNetwork, type Network } from "../../ipvs/ip-network.js";
import type { Io } from "../../runtime/io.js";
import { Body, type Answer } from "../../http/body.js";
import { SharedAnswer } from "../../http/shared-answer.js";
import { NO_FILTERS } from "../connections/filter.js";
import { GROUPS, type Group, type Query } from "../connections/query.js";
import { scan } from "../connections/scan.js";
import { TopCounter, type TopRow } from "../connections/top-counter.js";
import { topRecords } from "../connections/top-view.js";
import { documentAnswer, errorAnswer } from "./json-answers.js";
import { nextEventLoopTurn } from "../../system/event-loop.js";

const DEFAULT_LIMIT = 10;
const MOST = 100;

/** Every connection, but no template. */
const ALL: Query = {
  filters: NO_FILTERS,
  templates: "without",
  top: undefined,
  count: false,
  limit: Infinity,
};

/** How long counts are reused. */
const FRESH_MILLISECONDS = 5000;

/** How many are kept. Each client that somebody asks for has one */
const MOST_ANSWERS = 32;

/** How many readings may wait, each for its own clients. A reading takes seconds. */
const MOST_WAITING = 8;

interface Counts {
  readonly counter: TopCounter;
  readonly rows: readonly TopRow[];
}

/**
 * The clients, services, servers or states with the most connections. Reading millions of connections takes seconds, so they are
 * read once for all who ask, and only one reading runs at a time.
 */
export class TopConnections {
  readonly #io: Io;
  /** The answers, the one that was asked for last at the end */
  readonly #answers = new Map<string, SharedAnswer<Counts>>();
  #busy: Promise<unknown> = Promise.resolve();
  /** How many readings run or wait */
  #waiting = 0;

  constructor(io: Io) {
    this.#io = io;
  }

  /** Answers with the document of `connections --top BY -o json`. Query: `by`, `limit`, `client`. */
  answer(query: URLSearchParams): Promise<Answer> | Answer {
    const by = GROUPS.find((group) => group === (query.get("by") ?? "client"));
    const limit = query.get("limit") ?? String(DEFAULT_LIMIT);
    const client = query.get("client");
    const network = client === null ? undefined : parseNetwork(client);
    if (!by)
      return errorAnswer(400, `by: expected one of ${GROUPS.join(", ")}`);
    if (!/^[1-9][0-9]{0,2}$/.test(limit) || Number(limit) > MOST)
      return errorAnswer(400, `limit: expected 1 to ${MOST}`);
    if (client !== null && !network)
      return errorAnswer(400, "client: expected an address or a network");
    const shared = this.#sharedAnswer(by, network);
    if (!shared)
      return errorAnswer(
        503,
        "the connection table is being read for others; ask again later",
      );
    return documentAnswer(async () => {
      const { counter, rows } = await shared.get();
      const largest = rows.slice(0, Number(limit));
      return new Body(topRecords(by, largest, counter, "json"));
    });
  }

  /** @returns undefined if too many others wait */
  #sharedAnswer(by: Group, client?: Network): SharedAnswer<Counts> | undefined {
    const key = client
      ? `${by} ${formatAddress(client.address)}/${client.prefixBits}`
      : by;
    const known = this.#answers.get(key);
    if (known) {
      // The one that was asked for last is dropped last.
      this.#answers.delete(key);
      this.#answers.set(key, known);
      return known;
    }
    if (client && this.#waiting >= MOST_WAITING) return undefined;
    const made = new SharedAnswer(
      () => this.#inTurn(by, client),
      FRESH_MILLISECONDS,
      this.#io.clock,
    );
    this.#answers.set(key, made);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > MOST_ANSWERS && oldest !== undefined)
      this.#answers.delete(oldest);
    return made;
  }

  #inTurn(by: Group, client: Network | undefined): Promise<Counts> {
    this.#waiting++;
    const next = this.#busy.then(() => this.#count(by, client));
    this.#busy = next
      .catch(() => undefined)
      .then(() => {
        this.#waiting--;
      });
    return next;
  }

  async #count(by: Group, client: Network | undefined): Promise<Counts> {
    const counter = new TopCounter(by);
    const query = client
      ? { ...ALL, filters: { ...NO_FILTERS, clients: [client] } }
      : ALL;
    await scan(query, this.#io, {
      visit(line) {
        counter.add(line);
      },
      async pause() {
        await nextEventLoopTurn(); // Answer other requests meanwhile.
        return false;
      },
    });
    return { counter, rows: await counter.rows(MOST, undefined) };
  }
}
