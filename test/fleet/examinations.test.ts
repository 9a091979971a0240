import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Examinations,
  type AskedExamination,
  type Examiner,
} from "../../src/fleet/agent/examinations.js";
import {
  readExamination,
  type ExaminationResult,
} from "../../src/fleet/examination.js";
import { StoreError } from "../../src/store/store-error.js";
import type { Store } from "../../src/store/store.js";
import { systemClock } from "../../src/system/clock.js";
import { MemoryCluster, type StoreTrouble } from "../store/memory-store.js";
import { KEYS } from "./rig.js";

const RESULT: ExaminationResult = {
  doctor: {
    errors: 1,
    warnings: 2,
    notes: 3,
    findings: [{ id: "x", severity: "error", subject: "tcp/192.0.2.1:80" }],
  },
  connections: {
    seconds: 10,
    worst: { service: "tcp/192.0.2.1:80", opened: 20, failing: 10 },
  },
};

const ASKED: AskedExamination = {
  id: "rollout",
  revision: 2,
  doctor: true,
  connections: true,
};

/** An agent's examinations, with short times. */
class Rig implements AsyncDisposable {
  readonly cluster = new MemoryCluster();
  readonly faults: string[] = [];
  asked: AskedExamination | undefined;
  begun = 0;
  running = 0;
  mostRunning = 0;
  readonly pauses: number[] = [];
  examine: () => Promise<ExaminationResult> = () => Promise.resolve(RESULT);
  begin: () => Promise<void> = () => Promise.resolve();
  trouble: (call: keyof Store) => StoreTrouble | undefined = () => undefined;
  readonly examinations: Examinations;
  readonly #ended = new AbortController();
  readonly #running: Promise<void>;

  constructor(times: Partial<Examiner> = {}, isAsked = true) {
    if (isAsked) this.asked = ASKED;
    this.examinations = new Examinations({
      store: this.cluster.client((call) => this.trouble(call)),
      keys: KEYS,
      director: "lb1",
      examiner: {
        intervalMilliseconds: 5,
        deadlineMilliseconds: 10_000,
        begin: () => {
          this.begun++;
          return this.begin();
        },
        examine: async () => {
          this.running++;
          this.mostRunning = Math.max(this.mostRunning, this.running);
          try {
            return await this.examine();
          } finally {
            this.running--;
          }
        },
        ...times,
      },
      pauses: {
        sleep: (milliseconds, signal) => {
          this.pauses.push(milliseconds);
          return systemClock.sleep(milliseconds, signal);
        },
        random: () => 0,
      },
      now: () => "2026-01-02T03:04:05.000Z",
      asked: () => this.asked,
      explain: (error) =>
        error instanceof TypeError ? undefined : String(error),
      storeFailed: (error) => {
        if (!(error instanceof StoreError)) throw error;
        this.faults.push(error.kind);
      },
    });
    this.#running = this.examinations.run(this.#ended.signal);
  }

  get report() {
    const found = this.cluster.get(KEYS.examination("lb1"));
    return found && readExamination(found);
  }

  async until(what: string, condition: () => boolean): Promise<void> {
    const end = performance.now() + 60_000;
    while (!condition()) {
      assert.ok(performance.now() < end, `not in 60 seconds: ${what}`);
      await systemClock.sleep(2, new AbortController().signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }
}

test("Examinations reports what was found again and again, and removes the report when nobody asks", async () => {
  await using rig = new Rig();
  await rig.until("the report", () => rig.report !== undefined);
  const { written, ...rest } = rig.report ?? { written: 0n };
  assert.deepEqual(rest, {
    id: "rollout",
    revision: 2,
    at: "2026-01-02T03:04:05.000Z",
    ...RESULT,
    fault: undefined,
  });
  await rig.until("the next one", () => (rig.report?.written ?? 0n) > written);
  rig.asked = undefined;
  await rig.until("it is removed", () => rig.report === undefined);
  assert.equal(rig.begun, 1);
});

test("Examinations does nothing until it is asked, and begins anew for another revision", async () => {
  await using rig = new Rig({}, false);
  for (const round of [1, 2, 3]) {
    // It pauses once a round.
    await rig.until("it waits", () => rig.pauses.length === round);
    rig.examinations.wake();
  }
  assert.equal(rig.begun, 0);
  assert.equal(rig.report, undefined);
  rig.asked = { ...ASKED, revision: 3 };
  rig.examinations.wake();
  await rig.until("revision 3", () => rig.report?.revision === 3);
  rig.asked = { ...ASKED, id: "other", revision: 3 };
  await rig.until("the other rollout", () => rig.report?.id === "other");
  assert.equal(rig.begun, 2);
});

test("Examinations reports a fault, and examines again", async () => {
  await using rig = new Rig();
  rig.examine = () => Promise.reject(new Error("no such file"));
  await rig.until("the fault", () =>
    Boolean(rig.report?.fault?.includes("no such file")),
  );
  rig.examine = () => Promise.reject(new TypeError(`bug${"!".repeat(999)}`));
  await rig.until("the bug", () =>
    Boolean(rig.report?.fault?.includes("bug!")),
  );
  assert.equal(rig.report?.fault?.length, 500);
  rig.examine = () => Promise.resolve(RESULT);
  await rig.until("the result", () => rig.report?.doctor !== undefined);
});

test("Examinations begins again if the counters could not be read", async () => {
  await using rig = new Rig();
  rig.asked = undefined;
  await rig.until("it waits", () => rig.report === undefined);
  rig.begin = () =>
    rig.begun < 4 ? Promise.reject(new Error("no table")) : Promise.resolve();
  rig.asked = { ...ASKED, id: "second" };
  rig.examinations.wake();
  await rig.until(
    "the result",
    () => rig.report?.id === "second" && rig.report.doctor !== undefined,
  );
});

test("Examinations reports after the deadline, and runs one examination at a time", async () => {
  await using rig = new Rig({ deadlineMilliseconds: 20 });
  let release: (result: ExaminationResult) => void = () => undefined;
  rig.examine = () =>
    new Promise((resolve) => {
      release = resolve;
    });
  await rig.until("the deadline", () =>
    Boolean(rig.report?.fault?.includes("not done within 0.02 s")),
  );
  const { written } = rig.report ?? { written: 0n };
  await rig.until(
    "the next report",
    () => (rig.report?.written ?? 0n) > written,
  );
  assert.equal(rig.mostRunning, 1);
  rig.examine = () => Promise.resolve(RESULT);
  release(RESULT);
  await rig.until("the result", () => rig.report?.doctor !== undefined);
  assert.equal(rig.mostRunning, 1);
});

test("Examinations pauses for three times as long as an examination takes", async () => {
  await using rig = new Rig();
  rig.examine = async () => {
    await systemClock.sleep(40, new AbortController().signal);
    return RESULT;
  };
  await rig.until("the report", () => rig.report !== undefined);
  // The deadline of an examination is a pause, too.
  await rig.until("the pause", () =>
    rig.pauses.some((ms) => ms >= 100 && ms < 10_000),
  );
});

test("Examinations goes on after the store was lost", async () => {
  await using rig = new Rig();
  rig.trouble = () => "unreachable";
  await rig.until("the failure", () => rig.faults.length > 1);
  rig.trouble = () => undefined;
  await rig.until("the report", () => rig.report !== undefined);
});
