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
  readonly #answers: ReadonlyMap<string, SharedAnswer<Counts>>;
  #busy: Promise<unknown> = Promise.resolve();

  constructor(io: Io) {
    this.#io = io;
    this.#answers = new Map(
      GROUPS.map((by) => [
        by,
        new SharedAnswer(() => this.#inTurn(by), FRESH_MILLISECONDS, io.clock),
      ]),
    );
  }

  /** Answers with the document of `connections --top BY -o json`. Query: `by`, `limit`. */
  answer(query: URLSearchParams): Promise<Answer> | Answer {
    const by = GROUPS.find((group) => group === (query.get("by") ?? "client"));
    const limit = query.get("limit") ?? String(DEFAULT_LIMIT);
    const shared = by && this.#answers.get(by);
    if (!shared)
      return errorAnswer(400, `by: expected one of ${GROUPS.join(", ")}`);
    if (!/^[1-9][0-9]{0,2}$/.test(limit) || Number(limit) > MOST)
      return errorAnswer(400, `limit: expected 1 to ${MOST}`);
    return documentAnswer(async () => {
      const { counter, rows } = await shared.get();
      const largest = rows.slice(0, Number(limit));
      return new Body(topRecords(by, largest, counter, "json"));
    });
  }

  #inTurn(by: Group): Promise<Counts> {
    const next = this.#busy.then(() => this.#count(by));
    this.#busy = next.catch(() => undefined);
    return next;
  }

  async #count(by: Group): Promise<Counts> {
    const counter = new TopCounter(by);
    await scan(ALL, this.#io, {
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
